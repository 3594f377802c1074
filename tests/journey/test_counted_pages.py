"""What counts as a page in the figures."""

import re

from harness.peers import page, reply
from harness.wire import ask

BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


async def counted(proxy):
    figures = (await ask(proxy.admin, "/metrics")).body.decode()
    rows = re.findall(r'datacue_pages_total\{outcome="([^"]+)",page="[^"]+"\} ([0-9.]+)', figures)
    return {outcome: float(count) for outcome, count in rows}


async def test_a_bots_pages_count_its_pictures_do_not(run_proxy, shop, vendor):
    shop.answers["*"] = reply(page(""))
    proxy = await run_proxy()
    await ask(proxy.address, "/about", user_agent=BOT, sec_fetch_dest="document")
    for path in ("/a.css", "/b.png"):
        await ask(proxy.address, path, user_agent=BOT, accept="text/css,*/*;q=0.1", sec_fetch_dest="style")
    assert await counted(proxy) == {"bypass:bot": 1}
