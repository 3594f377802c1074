// window.datacue over the shop's own origin: see docs/clicks.md. No dependencies, nothing to build.
(function () {
  'use strict';

  var STORE = 'datacue.deferred';
  var script = document.currentScript;
  // Our own URL says where the proxy's endpoints live; the page's origin is where they are asked.
  var url = script && script.src ? new URL('../track', script.src).pathname : '/_datacue/track';
  var user = {};
  var anonymous = null;

  function send(message) {
    return fetch(url, {
      method: 'POST',
      credentials: 'same-origin',
      keepalive: true, // goes on when the page is left
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(message)
    }).then(function (response) {
      anonymous = response.headers.get('X-DataCue-Visitor') || anonymous;
      if (response.status === 204) return null;
      return response.json().then(function (answer) {
        if (!response.ok) throw new Error('datacue: ' + answer.error);
        return answer;
      });
    });
  }

  function deferred() {
    try {
      return JSON.parse(sessionStorage.getItem(STORE)) || [];
    } catch (e) {
      return [];
    }
  }

  function store(messages) {
    sessionStorage.setItem(STORE, JSON.stringify(messages));
  }

  function defer(message) {
    try {
      store(deferred().concat(message));
    } catch (e) {
      return send(message); // no storage, or it is full
    }
    return Promise.resolve(null);
  }

  // One after the other, in the order in which they happened; what is left waits for the next page.
  function flush() {
    var messages = deferred();
    var first = messages.shift();
    if (!first) return;
    store(messages);
    send(first).catch(function (e) { console.warn(e); }).then(flush);
  }

  window.datacue = {
    init: function () {
      return Promise.resolve();
    },
    identify: function (id, profile) {
      user = { user_id: id == null ? undefined : String(id), profile: profile || undefined };
    },
    track: function (event, later) {
      var message = { user: user, event: event };
      return later ? defer(message) : send(message);
    },
    getUser: function () {
      return { user_id: user.user_id || null, anonymous_id: anonymous };
    }
  };

  // A prerendered page is not yet looked at.
  if (document.prerendering) document.addEventListener('prerenderingchange', flush, { once: true });
  else flush();
})();
