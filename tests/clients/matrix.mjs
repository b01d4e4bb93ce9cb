// What each client library of the field does with keel, as a table: ethers, viem and web3 each read, deploy by raw
// transaction, hear of events by subscription and by filter, verify proofs on their side, decode reverts and come back
// after the daemon was stopped and started. Usage: matrix.mjs KEEL [BACKEND]. Ends with 1 when a field fails.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { ethers } from "ethers";
import * as viem from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { Web3 } from "web3";
import { compile } from "./vault.mjs";

const { abi, bytecode } = compile();
const kWaitMs = 60_000; // for what comes by itself
const kPatience = 10n ** 9n; // seconds until a vault opens

/// The sixth to eighth of the known keys: one for each library.
const keys = [
  "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
  "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
  "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
];

class Daemon {
  constructor(keel, backend) {
    this.keel = keel;
    this.backend = backend;
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), "keel-matrix-"));
  }
  async start() {
    this.port ??= await freePort();
    const ready = path.join(this.directory, "ready.json");
    fs.rmSync(ready, { force: true });
    const log = fs.openSync(path.join(this.directory, "log"), "a");
    this.process = spawn(
      this.keel,
      ["daemon", "--dev", "--datadir", path.join(this.directory, "chain"), "--db", this.backend, "--http.port", `${this.port}`,
        "--ws", "--ws.port", `${this.port}`, "--ipcdisable", "--ready-file", ready, "-q"],
      { stdio: ["ignore", log, log] },
    );
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    await until(() => fs.existsSync(ready) && fs.statSync(ready).size > 0, "the daemon is ready");
    this.http = `http://127.0.0.1:${this.port}`;
    this.ws = `ws://127.0.0.1:${this.port}`;
  }
  async stop() {
    this.process.kill("SIGTERM");
    await this.ended;
  }
  remove() {
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function until(holds, what) {
  const end = Date.now() + kWaitMs;
  for (;;) {
    try {
      const value = await holds();
      if (value) return value;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/// Counts what was looked at.
function counter() {
  const checks = { count: 0 };
  checks.equal = (a, b, what) => {
    assert.equal(a, b, what);
    ++checks.count;
  };
  checks.ok = (value, what) => {
    assert.ok(value, what);
    ++checks.count;
  };
  checks.rejects = async (promise, matches, what) => {
    let error = null;
    try {
      await promise;
    } catch (thrown) {
      error = thrown;
    }
    assert.ok(error, `${what}: no error`);
    assert.ok(matches(error), `${what}: ${text(error)}`);
    ++checks.count;
  };
  return checks;
}

function text(error) {
  return `${error?.message} ${JSON.stringify(error, (key, value) => (typeof value === "bigint" ? `${value}` : value))}`;
}

/// Value of a key by a Merkle proof, every node hashed by the library's own functions; null: there is none.
function proven(lib, root, key, proof) {
  const way = lib.keccak(key).slice(2);
  let wanted = root;
  let at = 0;
  for (const encoded of proof) {
    assert.equal(lib.keccak(encoded), wanted);
    const node = lib.decodeRlp(encoded);
    if (node.length === 17) {
      wanted = node[Number.parseInt(way[at++], 16)];
    } else {
      const first = node[0].slice(2);
      const rest = Number.parseInt(first[0], 16) % 2 === 1 ? first.slice(1) : first.slice(2);
      if (!way.startsWith(rest, at)) return null;
      at += rest.length;
      wanted = node[1];
      if (Number.parseInt(first[0], 16) >= 2) return wanted;
    }
    if (wanted === "0x") return null;
  }
  assert.fail("the proof ends early");
}

function checkProof(checks, lib, root, address, answer, slot) {
  const account = lib.decodeRlp(proven(lib, root, address, answer.accountProof));
  checks.equal(BigInt(account[1] === "0x" ? 0 : account[1]), BigInt(answer.balance), "balance");
  checks.equal(account[2], answer.storageHash, "storage root");
  checks.equal(account[3], answer.codeHash, "code hash");
  const one = answer.storageProof[0];
  checks.equal(BigInt(lib.decodeRlp(proven(lib, account[2], slot, one.proof))), BigInt(one.value), "slot");
  const none = answer.storageProof[1];
  checks.equal(BigInt(none.value), 0n, "absent slot");
  checks.equal(proven(lib, account[2], ethers.toBeHex(77, 32), none.proof), null, "proof of absence");
}

const kUnlockSlot = ethers.toBeHex(1, 32); // of Vault.unlockTime
const kAbsentSlot = ethers.toBeHex(77, 32);

class WithEthers {
  name = "ethers 6.17.0";
  lib = { keccak: ethers.keccak256, decodeRlp: ethers.decodeRlp };
  async begin(daemon) {
    this.daemon = daemon;
    this.provider = new ethers.JsonRpcProvider(daemon.http, undefined, { cacheTimeout: -1 });
    this.wallet = new ethers.Wallet(keys[0], this.provider);
  }
  end() {
    this.provider?.destroy();
  }
  async reads(checks) {
    const block = await this.provider.getBlock("latest", true);
    checks.equal((await this.provider.getBlock(block.hash)).number, block.number);
    checks.equal(await this.provider.getBlockNumber(), block.number);
    checks.ok((await this.provider.getBalance(this.wallet.address)) > 10n ** 18n);
    checks.equal((await this.provider.getNetwork()).chainId, 31337n);
    checks.equal(await this.provider.getCode(this.wallet.address), "0x");
    checks.equal(await this.provider.getStorage(this.wallet.address, 0), ethers.ZeroHash);
    checks.equal(await this.provider.getTransactionCount(this.wallet.address), 0);
    checks.ok((await this.provider.getFeeData()).maxFeePerGas > 0n);
    checks.equal(await this.provider.getTransaction(ethers.ZeroHash), null);
  }
  async deploys(checks) {
    const unlock = BigInt((await this.provider.getBlock("latest")).timestamp) + kPatience;
    const request = await new ethers.ContractFactory(abi, bytecode, this.wallet).getDeployTransaction(unlock, { value: 7n });
    const raw = await this.wallet.signTransaction(await this.wallet.populateTransaction(request));
    const sent = await this.provider.broadcastTransaction(raw);
    checks.equal(sent.hash, ethers.keccak256(raw));
    const receipt = await sent.wait();
    checks.equal(receipt.status, 1);
    checks.equal(receipt.contractAddress, ethers.getCreateAddress({ from: this.wallet.address, nonce: 0 }));
    this.vault = new ethers.Contract(receipt.contractAddress, abi, this.wallet);
    this.address = receipt.contractAddress;
    checks.equal(await this.vault.unlockTime(), unlock);
    checks.ok((await this.provider.getCode(this.address)).length > 100);
    checks.equal((await this.provider.getTransactionReceipt(sent.hash)).blockHash, receipt.blockHash);
  }
  async subscribes(checks) {
    const socket = new ethers.WebSocketProvider(this.daemon.ws);
    const seen = [];
    const heads = [];
    await socket.on("block", (number) => heads.push(number));
    const there = new ethers.Contract(this.address, abi, socket);
    await there.on("Deposited", (from, amount) => seen.push([from, amount]));
    await socket.getBlockNumber(); // behind the subscriptions
    const receipt = await (await this.vault.deposit({ value: 11n })).wait();
    await until(() => seen.length === 1 && heads.includes(receipt.blockNumber), "the event and its head");
    checks.equal(seen[0][0], this.wallet.address);
    checks.equal(seen[0][1], 11n);
    checks.ok(heads.includes(receipt.blockNumber));
    await socket.destroy();
  }
  async filters(checks) {
    const id = await this.provider.send("eth_newFilter", [{ address: this.address, topics: [this.vault.interface.getEvent("Deposited").topicHash] }]);
    const receipt = await (await this.vault.deposit({ value: 12n })).wait();
    const changes = await this.provider.send("eth_getFilterChanges", [id]);
    checks.equal(changes.length, 1);
    checks.equal(this.vault.interface.parseLog(changes[0]).args.amount, 12n);
    checks.equal((await this.provider.send("eth_getFilterChanges", [id])).length, 0);
    const logs = await this.vault.queryFilter(this.vault.filters.Deposited(this.wallet.address), receipt.blockNumber);
    checks.equal(logs[0].args.amount, 12n);
    checks.ok(await this.provider.send("eth_uninstallFilter", [id]));
  }
  async proofs(checks) {
    const block = await this.provider.send("eth_getBlockByNumber", ["latest", false]);
    const answer = await this.provider.send("eth_getProof", [this.address, [kUnlockSlot, kAbsentSlot], block.number]);
    checkProof(checks, this.lib, block.stateRoot, this.address, answer, kUnlockSlot);
    const nobody = "0x00000000000000000000000000000000000f00d5";
    const nothing = await this.provider.send("eth_getProof", [nobody, [], block.number]);
    checks.equal(proven(this.lib, block.stateRoot, nobody, nothing.accountProof), null);
  }
  async reverts(checks) {
    await checks.rejects(this.vault.withdraw.staticCall(), (error) => error.revert?.name === "TooEarly", "custom error");
    await checks.rejects(this.vault.deposit(), (error) => error.reason === "nothing to deposit", "reason");
    await checks.rejects(this.vault.divide(1n, 0n), (error) => error.revert?.name === "Panic" && BigInt(error.revert.args[0]) === 0x12n, "panic");
  }
  async beforeStop() {
    this.socket = new ethers.WebSocketProvider(this.daemon.ws);
    await this.socket.getBlockNumber();
    this.closed = new Promise((resolve) => (this.socket.websocket.onclose = resolve));
  }
  async reconnects(checks) {
    await this.closed;
    checks.ok(true); // told that the connection is gone
    await this.socket.destroy().catch(() => {});
    checks.ok((await until(() => this.provider.getBlockNumber(), "HTTP again")) > 0);
    const socket = new ethers.WebSocketProvider(this.daemon.ws);
    const heads = [];
    await socket.on("block", (number) => heads.push(number));
    await socket.getBlockNumber();
    const receipt = await (await this.vault.deposit({ value: 13n })).wait();
    await until(() => heads.includes(receipt.blockNumber), "a head after the restart");
    checks.equal(receipt.status, 1);
    await socket.destroy();
  }
}

class WithViem {
  name = "viem 2.57.0";
  lib = { keccak: (hex) => viem.keccak256(hex), decodeRlp: (hex) => viem.fromRlp(hex, "hex") };
  async begin(daemon) {
    this.daemon = daemon;
    this.account = privateKeyToAccount(keys[1]);
    const transport = viem.http(daemon.http);
    this.reader = viem.createPublicClient({ chain: foundry, transport, cacheTime: 0, pollingInterval: 50 });
    this.writer = viem.createWalletClient({ account: this.account, chain: foundry, transport });
  }
  end() {}
  socketClient() {
    return viem.createPublicClient({
      chain: foundry,
      cacheTime: 0,
      transport: viem.webSocket(this.daemon.ws, { reconnect: { attempts: 100, delay: 100 }, retryCount: 20 }),
    });
  }
  async deposit(value) {
    const hash = await this.writer.writeContract({ address: this.address, abi, functionName: "deposit", value });
    return this.reader.waitForTransactionReceipt({ hash });
  }
  async reads(checks) {
    const block = await this.reader.getBlock({ includeTransactions: true });
    checks.equal((await this.reader.getBlock({ blockHash: block.hash })).number, block.number);
    checks.equal(await this.reader.getBlockNumber(), block.number);
    checks.ok((await this.reader.getBalance({ address: this.account.address })) > 10n ** 18n);
    checks.equal(await this.reader.getChainId(), 31337);
    checks.equal(await this.reader.getCode({ address: this.account.address }), undefined);
    checks.equal(await this.reader.getStorageAt({ address: this.account.address, slot: "0x0" }), ethers.ZeroHash);
    checks.equal(await this.reader.getTransactionCount({ address: this.account.address }), 0);
    checks.ok((await this.reader.estimateFeesPerGas()).maxFeePerGas > 0n);
    checks.equal((await this.reader.getFeeHistory({ blockCount: 1, rewardPercentiles: [50] })).baseFeePerGas.length, 2);
  }
  async deploys(checks) {
    const unlock = (await this.reader.getBlock()).timestamp + kPatience;
    const data = viem.encodeDeployData({ abi, bytecode, args: [unlock] });
    const request = await this.writer.prepareTransactionRequest({ data, value: 7n });
    const raw = await this.writer.signTransaction(request);
    const hash = await this.reader.sendRawTransaction({ serializedTransaction: raw });
    checks.equal(hash, viem.keccak256(raw));
    const receipt = await this.reader.waitForTransactionReceipt({ hash });
    checks.equal(receipt.status, "success");
    this.address = receipt.contractAddress;
    checks.equal(viem.getAddress(this.address), viem.getContractAddress({ from: this.account.address, nonce: 0n }));
    checks.equal(await this.reader.readContract({ address: this.address, abi, functionName: "unlockTime" }), unlock);
    checks.ok((await this.reader.getCode({ address: this.address })).length > 100);
    checks.equal((await this.reader.getTransaction({ hash })).blockNumber, receipt.blockNumber);
  }
  async subscribes(checks) {
    const client = this.socketClient();
    const seen = [];
    const heads = [];
    const stopHeads = client.watchBlocks({ onBlock: (block) => heads.push(block.number) });
    const stopEvents = client.watchContractEvent({ address: this.address, abi, eventName: "Deposited", onLogs: (logs) => seen.push(...logs) });
    // Subscriptions begin behind the handshake: until one has come, more is deposited.
    await until(async () => {
      await this.deposit(11n);
      return seen.length > 0 && heads.length > 0;
    }, "an event and a head");
    checks.equal(seen[0].args.amount, 11n);
    checks.equal(viem.getAddress(seen[0].args.from), this.account.address);
    checks.ok(heads.length > 0);
    stopHeads();
    stopEvents();
    await (await client.transport.getRpcClient()).close();
  }
  async filters(checks) {
    const filter = await this.reader.createContractEventFilter({ address: this.address, abi, eventName: "Deposited" });
    const blocks = await this.reader.createBlockFilter();
    const { blockHash, blockNumber } = await this.deposit(12n);
    const changes = await this.reader.getFilterChanges({ filter });
    checks.equal(changes.length, 1);
    checks.equal(changes[0].args.amount, 12n);
    checks.equal((await this.reader.getFilterChanges({ filter: blocks })).at(-1), blockHash);
    const logs = await this.reader.getContractEvents({ address: this.address, abi, eventName: "Deposited", fromBlock: blockNumber });
    checks.equal(logs[0].args.amount, 12n);
    checks.ok(await this.reader.uninstallFilter({ filter }));
  }
  async proofs(checks) {
    const block = await this.reader.getBlock();
    const answer = await this.reader.getProof({ address: this.address, storageKeys: [kUnlockSlot, kAbsentSlot], blockNumber: block.number });
    checkProof(checks, this.lib, block.stateRoot, this.address, answer, kUnlockSlot);
    const nobody = "0x00000000000000000000000000000000000f00d5";
    const nothing = await this.reader.getProof({ address: nobody, storageKeys: [], blockNumber: block.number });
    checks.equal(proven(this.lib, block.stateRoot, nobody, nothing.accountProof), null);
  }
  async reverts(checks) {
    const simulate = (functionName, args) => this.reader.simulateContract({ account: this.account, address: this.address, abi, functionName, args });
    const cause = (error) => error.walk((each) => each instanceof viem.ContractFunctionRevertedError);
    await checks.rejects(simulate("withdraw"), (error) => cause(error)?.data?.errorName === "TooEarly", "custom error");
    await checks.rejects(simulate("deposit"), (error) => cause(error)?.reason === "nothing to deposit", "reason");
    await checks.rejects(simulate("divide", [1n, 0n]), (error) => cause(error)?.data?.errorName === "Panic", "panic");
  }
  async beforeStop() {
    this.socket = this.socketClient();
    this.heads = [];
    this.stopHeads = this.socket.watchBlockNumber({ onBlockNumber: (number) => this.heads.push(number), onError: () => {} });
    await this.socket.getBlockNumber();
  }
  async reconnects(checks) {
    checks.ok((await until(() => this.reader.getBlockNumber(), "HTTP again")) > 0n);
    // The same client: it connects again by itself.
    const number = await until(() => this.socket.getBlockNumber(), "WebSocket again");
    checks.ok(number > 0n);
    const receipt = await this.deposit(13n);
    checks.equal(receipt.status, "success");
    checks.equal(await this.socket.getBlockNumber(), receipt.blockNumber);
    this.stopHeads();
    await (await this.socket.transport.getRpcClient()).close();
  }
}

class WithWeb3 {
  name = "web3 4.16.0";
  // web3 has no decoder of RLP of its own in the interface; its hash function is.
  lib = { keccak: (hex) => this.web3.utils.keccak256(hex), decodeRlp: ethers.decodeRlp };
  async begin(daemon) {
    this.daemon = daemon;
    this.web3 = new Web3(daemon.http);
    this.account = this.web3.eth.accounts.wallet.add(keys[2])[0];
  }
  end() {}
  socketClient() {
    const provider = new Web3.providers.WebsocketProvider(this.daemon.ws, {}, { autoReconnect: true, delay: 100, maxAttempts: 300 });
    return new Web3(provider);
  }
  deposit(value) {
    return this.vault.methods.deposit().send({ from: this.account.address, value: `${value}` });
  }
  async reads(checks) {
    const eth = this.web3.eth;
    const block = await eth.getBlock("latest", true);
    checks.equal((await eth.getBlock(block.hash)).number, block.number);
    checks.equal(await eth.getBlockNumber(), block.number);
    checks.ok((await eth.getBalance(this.account.address)) > 10n ** 18n);
    checks.equal(await eth.getChainId(), 31337n);
    checks.equal(await eth.getCode(this.account.address), "0x");
    checks.equal(await eth.getStorageAt(this.account.address, 0), ethers.ZeroHash);
    checks.equal(await eth.getTransactionCount(this.account.address), 0n);
    checks.ok((await eth.getGasPrice()) > 0n);
    checks.equal((await eth.getFeeHistory(1, "latest", [50])).baseFeePerGas.length, 2);
  }
  async deploys(checks) {
    const eth = this.web3.eth;
    const unlock = (await eth.getBlock("latest")).timestamp + kPatience;
    const data = new eth.Contract(abi).deploy({ data: bytecode, arguments: [unlock] }).encodeABI();
    const { rawTransaction, transactionHash } = await this.account.signTransaction({
      from: this.account.address, data, value: "7", gas: 3_000_000n, nonce: 0n, maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 10n ** 9n, chainId: 31337n, type: 2n });
    const receipt = await eth.sendSignedTransaction(rawTransaction);
    checks.equal(receipt.transactionHash, transactionHash);
    checks.equal(receipt.status, 1n);
    this.address = receipt.contractAddress;
    checks.equal(ethers.getAddress(this.address), ethers.getCreateAddress({ from: this.account.address, nonce: 0 }));
    this.vault = new eth.Contract(abi, this.address);
    checks.equal(await this.vault.methods.unlockTime().call(), unlock);
    checks.ok((await eth.getCode(this.address)).length > 100);
    checks.equal((await eth.getTransaction(transactionHash)).blockNumber, receipt.blockNumber);
  }
  async subscribes(checks) {
    const web3 = this.socketClient();
    const heads = [];
    const seen = [];
    const newHeads = await web3.eth.subscribe("newBlockHeaders");
    newHeads.on("data", (head) => heads.push(BigInt(head.number)));
    const events = new web3.eth.Contract(abi, this.address).events.Deposited({ fromBlock: "latest" });
    await new Promise((resolve, reject) => {
      events.on("connected", resolve);
      events.on("error", reject);
    });
    events.on("data", (event) => seen.push(event));
    const receipt = await this.deposit(11n);
    await until(() => seen.length > 0 && heads.includes(receipt.blockNumber), "the event and its head");
    checks.equal(seen[0].returnValues.amount, 11n);
    checks.equal(ethers.getAddress(seen[0].returnValues.from), ethers.getAddress(this.account.address));
    checks.ok(heads.includes(receipt.blockNumber));
    web3.provider.disconnect();
  }
  async filters(checks) {
    const request = (method, params) => this.web3.requestManager.send({ method, params });
    const id = await request("eth_newFilter", [{ address: this.address }]);
    const receipt = await this.deposit(12n);
    const changes = await request("eth_getFilterChanges", [id]);
    checks.equal(changes.length, 1);
    checks.equal(this.web3.eth.abi.decodeParameter("uint256", changes[0].data), 12n);
    const events = await this.vault.getPastEvents("Deposited", { fromBlock: receipt.blockNumber });
    checks.equal(events[0].returnValues.amount, 12n);
    checks.equal((await request("eth_getFilterChanges", [id])).length, 0);
    checks.ok(await request("eth_uninstallFilter", [id]));
  }
  async proofs(checks) {
    const block = await this.web3.eth.getBlock("latest");
    const answer = await this.web3.eth.getProof(this.address, [kUnlockSlot, kAbsentSlot], block.number);
    checkProof(checks, this.lib, block.stateRoot, this.address, answer, kUnlockSlot);
    const nobody = "0x00000000000000000000000000000000000f00d5";
    const nothing = await this.web3.eth.getProof(nobody, [], block.number);
    checks.equal(proven(this.lib, block.stateRoot, nobody, nothing.accountProof), null);
  }
  async reverts(checks) {
    const from = this.account.address;
    await checks.rejects(this.vault.methods.withdraw().call({ from }), (error) => text(error).includes("TooEarly"), "custom error");
    await checks.rejects(this.vault.methods.deposit().call({ from }), (error) => text(error).includes("nothing to deposit"), "reason");
    await checks.rejects(this.vault.methods.divide(1n, 0n).call({ from }), (error) => /Panic|division or modulo by zero/.test(text(error)), "panic");
  }
  async beforeStop() {
    this.socket = this.socketClient();
    await this.socket.eth.getBlockNumber();
    this.socket.provider.on("error", () => {});
  }
  async reconnects(checks) {
    checks.ok((await until(() => this.web3.eth.getBlockNumber(), "HTTP again")) > 0n);
    // The same client: it connects again by itself.
    checks.ok((await until(() => this.socket.eth.getBlockNumber(), "WebSocket again")) > 0n);
    const heads = [];
    const subscription = await this.socket.eth.subscribe("newBlockHeaders");
    subscription.on("data", (head) => heads.push(BigInt(head.number)));
    const receipt = await this.deposit(13n);
    checks.equal(receipt.status, 1n);
    await until(() => heads.includes(receipt.blockNumber), "a head after the restart");
    checks.ok(heads.includes(receipt.blockNumber));
    this.socket.provider.disconnect();
  }
}

const rows = [
  ["reads", "reads"], ["deployment by raw transaction", "deploys"], ["events by subscription", "subscribes"], ["events by filter", "filters"],
  ["proofs verified", "proofs"], ["reverts decoded", "reverts"], ["reconnects", "reconnects"],
];

const [, , keel, backend = "mem"] = process.argv;
const daemon = new Daemon(path.resolve(keel), backend);
const clients = [new WithEthers(), new WithViem(), new WithWeb3()];
const failures = [];
const table = rows.map(([name]) => [name]);
try {
  await daemon.start();
  for (const client of clients) await client.begin(daemon);
  for (const [at, [name, method]] of rows.entries()) {
    if (method === "reconnects") {
      for (const client of clients) await client.beforeStop();
      // A library says on the console that it finds nobody, which is what is wanted.
      const say = console.error;
      console.error = () => {};
      await daemon.stop();
      await daemon.start();
      console.error = say;
    }
    for (const client of clients) {
      const checks = counter();
      try {
        await client[method](checks);
        table[at].push(`${checks.count}`);
      } catch (error) {
        failures.push(`${client.name}, ${name}: ${error.stack ?? text(error)}`);
        table[at].push("FAIL");
      }
    }
  }
} finally {
  for (const client of clients) client.end();
  if (daemon.process) await daemon.stop();
  daemon.remove();
}
const line = (cells) => cells.map((cell, at) => (at === 0 ? cell.padEnd(32) : cell.padStart(16))).join("");
console.log(line([`checks (${backend})`, ...clients.map((client) => client.name)]));
for (const cells of table) console.log(line(cells));
for (const failure of failures) console.error(failure);
console.log(failures.length === 0 ? "matrix: all passed" : `matrix: ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
