// The same chain through ethers, viem and web3: reads, a deployment by raw transaction, events by
// filter, a proof that is verified here, reverts decoded.
import test, { after } from "node:test";
import assert from "node:assert/strict";
import { ethers } from "ethers";
import * as viem from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { Web3 } from "web3";
import { compile } from "./vault.mjs";

const url = process.env.KEEL_URL;
// The third to fifth of the known keys, so that the tests do not share nonces.
const keys = [
  "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
  "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
  "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
];
const { abi, bytecode } = compile();

/// Value of a key by a Merkle proof, every node hashed; null: it proves that there is none.
function proven(root, key, proof) {
  const path = ethers.keccak256(key).slice(2);
  let wanted = root;
  let at = 0;
  for (let i = 0; i < proof.length; ++i) {
    assert.equal(ethers.keccak256(proof[i]), wanted, `node ${i}`);
    const node = ethers.decodeRlp(proof[i]);
    if (node.length === 17) {
      if (at === path.length) return node[16];
      wanted = node[parseInt(path[at++], 16)];
    } else {
      const first = node[0].slice(2);
      const rest = Number(first[0]) % 2 === 1 ? first.slice(1) : first.slice(2);
      if (!path.startsWith(rest, at)) return null;
      at += rest.length;
      if (Number(first[0]) >= 2) return node[1];
      wanted = node[1];
    }
    if (wanted === "0x") return null;
  }
  assert.fail("the proof ends early");
}

// Every block is here at once: what was read before one is not what is there after it.
const provider = new ethers.JsonRpcProvider(url, undefined, { cacheTimeout: -1 });
after(() => provider.destroy());

test("ethers: deploys by raw transaction, reads, filters, decodes reverts", async () => {
  const wallet = new ethers.Wallet(keys[0], provider);
  const unlock = (await provider.getBlock("latest")).timestamp + 10 ** 9;
  const vault = await new ethers.ContractFactory(abi, bytecode, wallet).deploy(unlock, { value: 7n });
  await vault.waitForDeployment();
  assert.equal(await vault.unlockTime(), BigInt(unlock));
  const receipt = await (await vault.deposit({ value: 11n })).wait();
  assert.equal(receipt.status, 1);
  const events = await vault.queryFilter(vault.filters.Deposited(wallet.address), receipt.blockNumber);
  assert.deepEqual(events.map((event) => event.args.amount), [11n]);
  await assert.rejects(vault.withdraw.staticCall(), (error) => error.revert.name === "TooEarly");
  await assert.rejects(vault.deposit(), (error) => error.reason === "nothing to deposit");
  const fees = await provider.getFeeData();
  assert.ok(fees.maxFeePerGas > 0n);
});

test("ethers: proofs of an account and its storage hold", async () => {
  const wallet = new ethers.Wallet(keys[0], provider);
  const block = await provider.send("eth_getBlockByNumber", ["latest", false]);
  const answer = await provider.send("eth_getProof", [wallet.address, [], block.number]);
  const account = ethers.decodeRlp(proven(block.stateRoot, wallet.address, answer.accountProof));
  assert.equal(BigInt(account[1]), BigInt(answer.balance));
  assert.equal(BigInt(account[0]), BigInt(answer.nonce));
  const absent = "0x00000000000000000000000000000000000f00d5";
  const nothing = await provider.send("eth_getProof", [absent, [], block.number]);
  assert.equal(proven(block.stateRoot, absent, nothing.accountProof), null);
});

test("ethers: typed data of a node's key is verified", async () => {
  const signer = await provider.getSigner(1);
  const domain = { name: "keel", chainId: 31337 };
  const types = { Order: [{ name: "to", type: "address" }, { name: "amounts", type: "uint256[]" }] };
  const value = { to: signer.address, amounts: [1n, 2n ** 200n] };
  const signature = await signer.signTypedData(domain, types, value);
  assert.equal(ethers.verifyTypedData(domain, types, value, signature), signer.address);
  assert.equal(ethers.verifyMessage("hello", await signer.signMessage("hello")), signer.address);
});

test("viem: deploys, watches, mines and decodes reverts", async () => {
  const account = privateKeyToAccount(keys[1]);
  const transport = viem.http(url);
  const reader = viem.createPublicClient({ chain: foundry, transport });
  const writer = viem.createWalletClient({ account, chain: foundry, transport });
  const tester = viem.createTestClient({ chain: foundry, mode: "anvil", transport });
  const unlock = (await reader.getBlock()).timestamp + 10n ** 9n;
  const hash = await writer.deployContract({ abi, bytecode, args: [unlock], value: 7n });
  const { contractAddress: address, status } = await reader.waitForTransactionReceipt({ hash });
  assert.equal(status, "success");
  assert.equal(await reader.readContract({ address, abi, functionName: "unlockTime" }), unlock);
  const sent = await writer.writeContract({ address, abi, functionName: "deposit", value: 5n });
  const { blockNumber } = await reader.waitForTransactionReceipt({ hash: sent });
  const logs = await reader.getContractEvents({ address, abi, eventName: "Deposited", fromBlock: blockNumber });
  assert.deepEqual(logs.map((log) => log.args.amount), [5n]);
  await assert.rejects(reader.simulateContract({ account, address, abi, functionName: "withdraw" }), (error) => {
    const cause = error.walk((each) => each instanceof viem.ContractFunctionRevertedError);
    return cause.data.errorName === "TooEarly";
  });
  const id = await tester.snapshot();
  await tester.setBalance({ address: account.address, value: 1n });
  await tester.mine({ blocks: 3 });
  assert.equal(await reader.getBlockNumber({ cacheTime: 0 }), blockNumber + 3n);
  await tester.revert({ id });
  assert.equal(await reader.getBlockNumber({ cacheTime: 0 }), blockNumber);
  assert.ok((await reader.getBalance({ address: account.address })) > 1n);
});

test("web3: deploys, reads, filters and decodes reverts", async () => {
  const web3 = new Web3(url);
  const account = web3.eth.accounts.wallet.add(keys[2])[0];
  const unlock = BigInt((await web3.eth.getBlock("latest")).timestamp) + 10n ** 9n;
  const vault = await new web3.eth.Contract(abi)
    .deploy({ data: bytecode, arguments: [unlock] })
    .send({ from: account.address, value: "7" });
  assert.equal(await vault.methods.unlockTime().call(), unlock);
  const receipt = await vault.methods.deposit().send({ from: account.address, value: "5" });
  const events = await vault.getPastEvents("Deposited", { fromBlock: receipt.blockNumber });
  assert.equal(events.length, 1);
  assert.equal(events[0].returnValues.amount, 5n);
  await assert.rejects(vault.methods.withdraw().call({ from: account.address }), (error) => {
    return JSON.stringify(error, (key, value) => (typeof value === "bigint" ? `${value}` : value)).includes("TooEarly");
  });
  assert.equal(await web3.eth.getChainId(), 31337n);
});
