// Before a restart: what the chain says; after it: that it says the same.
import fs from "node:fs";
import assert from "node:assert/strict";
import { JsonRpcProvider } from "ethers";

const [, , action, file] = process.argv;
const provider = new JsonRpcProvider(process.env.KEEL_URL);
const accounts = await provider.send("eth_accounts", []);
if (action === "write") {
  const edited = "0x00000000000000000000000000000000000000e0";
  await provider.send("hardhat_setBalance", [edited, "0x1234"]);
  await provider.send("eth_sendTransaction", [{ from: accounts[0], to: accounts[1], value: "0x1" }]);
  accounts.push(edited);
}
const known = action === "write" ? null : JSON.parse(fs.readFileSync(file));
const addresses = known ? Object.keys(known.balances) : accounts;
const balances = {};
for (const address of addresses) balances[address] = await provider.send("eth_getBalance", [address, "latest"]);
const block = await provider.send("eth_getBlockByNumber", ["latest", true]);
if (action === "write") {
  fs.writeFileSync(file, JSON.stringify({ balances, block }));
} else {
  assert.deepEqual({ balances, block }, known);
  await provider.send("eth_sendTransaction", [{ from: accounts[0], to: accounts[1], value: "0x1" }]);
  assert.equal(await provider.getBlockNumber(), Number(known.block.number) + 1);
  console.log("restart: block", Number(known.block.number), "and its state are there, the chain goes on");
}
provider.destroy();
