// Tailor composes the page of the shop with our fragments: the template comes from the shop for every
// request, as it does for the other contestants; the visitor's cookie and one view id a page go along.
"use strict";

const http = require("http");
const { randomUUID } = require("crypto");
const Tailor = require("node-tailor");

const { PORT, SHOP_URL, FRAGMENTS_URL } = process.env;
const agent = new http.Agent({ keepAlive: true });
const SENT = ["cookie", "user-agent", "accept", "accept-language"];

function page(request) {
  return new Promise((resolve, reject) => {
    http.get(`${SHOP_URL}${request.url}`, { agent }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => resolve(Buffer.concat(chunks).toString()));
      answer.on("error", reject);
    }).on("error", reject);
  });
}

function fragment(address, _attributes, request) {
  const { pathname, search } = new URL(address);
  const headers = { "x-datacue-view": request.view };
  for (const name of SENT) if (request.headers[name]) headers[name] = request.headers[name];
  return new Promise((resolve, reject) => {
    http.get(`${FRAGMENTS_URL}${pathname}${search}`, { agent, headers }, resolve).on("error", reject);
  });
}

const tailor = new Tailor({
  fetchTemplate: async (request, parseTemplate) => parseTemplate(await page(request)),
  requestFragment: fragment,
  maxAssetLinks: 0,
});
tailor.on("error", (_request, error) => console.error(error));

http
  .createServer((request, response) => {
    request.view = randomUUID();
    tailor.requestHandler(request, response);
  })
  .listen(Number(PORT), "127.0.0.1");
