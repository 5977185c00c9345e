// Shows the offline page where a page cannot be loaded. Pages and prices always come from the network; kept are only
// the offline page, the stylesheet and the scripts, whose names change with their contents. Pictures are left to the
// browser, for a large store would fill the disk. The settings stand in a line before this one.
const family = `store:${settings.root}:`;
const name = family + settings.version;

self.addEventListener("install", (event) => {
  const kept = async () => {
    const cache = await caches.open(name);
    await cache.addAll(settings.files);
    await self.skipWaiting();
  };
  event.waitUntil(kept());
});

self.addEventListener("activate", (event) => {
  const cleaned = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter((other) => other.startsWith(family) && other !== name).map((other) => caches.delete(other)));
    await self.clients.claim();
  };
  event.waitUntil(cleaned());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(async () => (await caches.match(settings.offline, { cacheName: name })) ?? Response.error()));
  } else if (settings.files.includes(new URL(request.url).pathname) && request.url.startsWith(self.location.origin)) {
    event.respondWith(caches.match(request, { cacheName: name }).then((known) => known ?? fetch(request)));
  }
});
