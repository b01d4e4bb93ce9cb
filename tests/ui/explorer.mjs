// Drives the explorer as a reader would: looks, clicks, searches, waits for a block; on a phone's width too. Every
// request that the page makes is seen, and none may go elsewhere.
import assert from "node:assert/strict";
import fs from "node:fs";

const site = `http://${process.env.KEEL_HTTP}`;
const folder = process.argv[2];
const rpc = async (method, ...params) => {
  const answer = await (
    await fetch(site, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    })
  ).json();
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
};

// A contract that stores 42 in slot 1, calls an address and reverts nothing.
const accounts = await rpc("eth_accounts");
const runtime = "602a600155" + "6000600060006000600073" + accounts[1].slice(2) + "61ffff" + "f1" + "00";
const size = (runtime.length / 2).toString(16).padStart(2, "0");
const created = await rpc("eth_sendTransaction", { from: accounts[0], data: `0x60${size}80600b6000396000f3${runtime}`, gas: "0x7a120" });
const contract = (await rpc("eth_getTransactionReceipt", created)).contractAddress;
const called = await rpc("eth_sendTransaction", { from: accounts[0], to: contract, gas: "0x30d40", data: "0xa9059cbb" + "00".repeat(12) + accounts[1].slice(2) + "07".padStart(64, "0") });

// The browser, by its own protocol.
const targets = await (await fetch(`http://127.0.0.1:${process.env.DEVTOOLS}/json`)).json();
const socket = new WebSocket(targets.find((each) => each.type === "page").webSocketDebuggerUrl);
await new Promise((resolve) => (socket.onopen = resolve));
const pending = new Map();
const requested = [];
const faults = [];
let lastId = 0;
socket.onmessage = (event) => {
  const message = JSON.parse(event.data);
  if (message.id) pending.get(message.id)(message);
  else if (message.method === "Network.requestWillBeSent") requested.push(message.params.request.url);
  else if (message.method === "Network.webSocketCreated") requested.push(message.params.url);
  else if (message.method === "Runtime.exceptionThrown") faults.push(message.params.exceptionDetails.exception?.description);
};
const tell = async (method, params = {}) => {
  const id = ++lastId;
  const answer = await new Promise((resolve) => {
    pending.set(id, resolve);
    socket.send(JSON.stringify({ id, method, params }));
  });
  assert.ok(!answer.error, `${method}: ${JSON.stringify(answer.error)}`);
  return answer.result;
};
const evaluate = async (expression) => {
  const { result, exceptionDetails } = await tell("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
  assert.ok(!exceptionDetails, JSON.stringify(exceptionDetails));
  return result.value;
};
const until = async (what, expression) => {
  const end = Date.now() + 60_000;
  while (!(await evaluate(expression))) {
    assert.ok(Date.now() < end, `${what} did not come; the page says ${await evaluate("document.body.innerText")}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const says = (text) => until(text, `document.body.innerText.includes(${JSON.stringify(text)})`);
/// A real click in the middle of an element.
const click = async (selector) => {
  await until(selector, `!!document.querySelector(${JSON.stringify(selector)})`);
  const [x, y] = await evaluate(`(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.scrollIntoView({block: "center"}); const b = e.getClientRects()[0]; return [b.x + b.width / 2, b.y + b.height / 2]; })()`);
  for (const type of ["mousePressed", "mouseReleased"]) await tell("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
};
const type = async (selector, text) => {
  await evaluate(`(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.value = ""; e.focus(); })()`);
  await tell("Input.insertText", { text });
};
const picture = async (name) => {
  const { data } = await tell("Page.captureScreenshot", { format: "png" });
  const bytes = Buffer.from(data, "base64");
  assert.ok(bytes.length > 5_000, `${name} is empty`);
  fs.writeFileSync(`${folder}/${name}.png`, bytes);
};
const size_is = (width, height, mobile) => tell("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile });

for (const domain of ["Network", "Runtime", "Page"]) await tell(`${domain}.enable`);
await size_is(1200, 900, false);
await tell("Page.navigate", { url: `${site}/ui` });

// The head, and a block that arrives while it is looked at.
await until("the head", `document.querySelector("#head b")?.textContent === "2"`);
await says("Base fee, gwei");
await says("backend");
await rpc("evm_mine");
await until("the new head", `document.querySelector("#head b")?.textContent === "3"`);
await picture("head");

// By clicks: the block, its transaction, the calls in it.
await click('a[href="#/block/2"]');
await says("state root");
await click(`a[href="#/tx/${called}"]`);
await says("succeeded");
await until("the call tree", `document.querySelectorAll("#calls ul li").length === 1`);
await says(`transfer(${accounts[1]}, 7)`);
await picture("transaction");

// The contract: code, slots, one slot, and the account before it was there.
await click(`#calls > li > a`);
await says("Code (");
await until("the slot", `document.body.innerText.includes("${"2a".padStart(64, "0")}")`);
await type("#slot", "0x1");
await click("#slot + button");
await until("the slot's value", `document.getElementById("slotvalue").textContent.endsWith("2a")`);
await type("#at", "0");
await click("#at + button");
await says("Code (0 bytes)");

// The search: number, hash, address, nonsense.
for (const [query, text] of [["1", "Block 1"], [created, "created"], [accounts[2], "10000 ether"], ["0x2", "Block 2"], ["nonsense", "Nothing is named so"], ["99", "No such block"]]) {
  await type("#query", query);
  await click("#search button");
  await says(text);
}

// A phone: nothing is wider than the screen.
await size_is(390, 844, true);
for (const place of ["#/", "#/block/2", `#/tx/${called}`, `#/account/${contract}`]) {
  await evaluate(`location.hash = ${JSON.stringify(place)}`);
  await says(place === "#/" ? "backend" : place.startsWith("#/block") ? "state root" : place.startsWith("#/tx") ? "succeeded" : "Storage");
  assert.ok(await evaluate("document.scrollingElement.scrollWidth <= window.innerWidth"), `${place} is too wide for a phone`);
}
await evaluate(`location.hash = "#/"`);
await says("backend");
await picture("phone");

const elsewhere = requested.filter((url) => !url.replace(/^ws/, "http").startsWith(site + "/") && !/^(data|about|blob):/.test(url));
assert.deepEqual(elsewhere, [], "requests that go elsewhere");
assert.deepEqual(faults, [], "faults of the page");
console.log(`explorer: passed; ${requested.length} requests, none elsewhere`);
socket.close();
