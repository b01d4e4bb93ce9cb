// What a project's tests do: fixtures, matchers of events and reverts, time, state, impersonation.
const { expect } = require("chai");
const { ethers } = require("hardhat");
const helpers = require("@nomicfoundation/hardhat-network-helpers");
const { anyValue } = require("@nomicfoundation/hardhat-chai-matchers/withArgs");

const kYear = 365 * 24 * 3600;

describe("Vault", () => {
  async function deployed() {
    const [owner, other] = await ethers.getSigners();
    const unlockTime = (await helpers.time.latest()) + kYear;
    const vault = await ethers.deployContract("Vault", [unlockTime], { value: 1000n });
    await vault.waitForDeployment();
    return { vault, unlockTime, owner, other };
  }

  it("is deployed with what it was given", async () => {
    const { vault, unlockTime, owner } = await helpers.loadFixture(deployed);
    expect(await vault.unlockTime()).to.equal(unlockTime);
    expect(await vault.owner()).to.equal(owner.address);
    expect(await ethers.provider.getBalance(vault.target)).to.equal(1000n);
  });

  it("refuses an unlock time of the past", async () => {
    const latest = await helpers.time.latest();
    const Vault = await ethers.getContractFactory("Vault");
    await expect(Vault.deploy(latest, { value: 1n })).to.be.revertedWith("unlock time is in the past");
  });

  it("emits events and keeps deposits", async () => {
    const { vault, other } = await helpers.loadFixture(deployed);
    await expect(vault.connect(other).deposit({ value: 5n })).to.emit(vault, "Deposited").withArgs(other.address, 5n);
    expect(await vault.deposits(other.address)).to.equal(5n);
    const events = await vault.queryFilter(vault.filters.Deposited(other.address));
    expect(events.at(-1).args.amount).to.equal(5n);
  });

  it("tells why it reverts", async () => {
    const { vault, other, unlockTime } = await helpers.loadFixture(deployed);
    await expect(vault.deposit()).to.be.revertedWith("nothing to deposit");
    await expect(vault.withdraw()).to.be.revertedWithCustomError(vault, "TooEarly").withArgs(anyValue, unlockTime);
    await expect(vault.connect(other).withdraw()).to.be.revertedWithCustomError(vault, "NotOwner").withArgs(other.address);
    await expect(vault.divide(1n, 0n)).to.be.revertedWithPanic(0x12);
  });

  it("pays when time has passed", async () => {
    const { vault, owner, unlockTime } = await helpers.loadFixture(deployed);
    await helpers.time.increaseTo(unlockTime);
    await expect(vault.withdraw()).to.changeEtherBalances([owner, vault], [1000n, -1000n]);
  });

  it("starts again from the fixture each time", async () => {
    const { vault, other } = await helpers.loadFixture(deployed);
    expect(await vault.deposits(other.address)).to.equal(0n);
    expect(await ethers.provider.getBalance(vault.target)).to.equal(1000n);
  });

  it("belongs to whoever impersonates the owner", async () => {
    const { vault, unlockTime } = await helpers.loadFixture(deployed);
    const stranger = "0x00000000000000000000000000000000DeaDBeef";
    await helpers.setStorageAt(vault.target, 0, ethers.zeroPadValue(stranger, 32));
    expect(await vault.owner()).to.equal(stranger);
    await helpers.setBalance(stranger, ethers.parseEther("1"));
    await helpers.impersonateAccount(stranger);
    const signer = await ethers.getSigner(stranger);
    await helpers.time.setNextBlockTimestamp(unlockTime + 5);
    await expect(vault.connect(signer).withdraw()).to.emit(vault, "Withdrawn").withArgs(stranger, 1000n);
    await helpers.stopImpersonatingAccount(stranger);
    await expect(signer.sendTransaction({ to: vault.target })).to.be.rejected;
  });
});

describe("Network helpers", () => {
  it("mine blocks at once", async () => {
    const before = await helpers.time.latestBlock();
    await helpers.mine(1000, { interval: 15 });
    expect(await helpers.time.latestBlock()).to.equal(before + 1000);
    const [last, first] = await Promise.all([0, 999].map((back) => ethers.provider.getBlock(before + 1000 - back)));
    expect(last.timestamp - first.timestamp).to.equal(999 * 15);
  });

  it("set code, nonce, coinbase and base fee", async () => {
    const address = ethers.getAddress("0x00000000000000000000000000000000000000ab");
    await helpers.setCode(address, "0x602a60005260206000f3");
    expect(await ethers.provider.call({ to: address })).to.equal(ethers.toBeHex(42, 32));
    await helpers.setNonce(address, 7);
    expect(await ethers.provider.getTransactionCount(address)).to.equal(7);
    await helpers.setCoinbase(address);
    await helpers.setNextBlockBaseFeePerGas(9n);
    await helpers.setPrevRandao(12345);
    await helpers.mine();
    const block = await ethers.provider.getBlock("latest");
    expect(block.miner).to.equal(address);
    expect(block.baseFeePerGas).to.equal(9n);
    const raw = await ethers.provider.send("eth_getBlockByNumber", ["latest", false]);
    expect(BigInt(raw.mixHash)).to.equal(12345n);
  });

  it("restore snapshots", async () => {
    const [owner, other] = await ethers.getSigners();
    const snapshot = await helpers.takeSnapshot();
    const before = await ethers.provider.getBalance(other.address);
    await (await owner.sendTransaction({ to: other.address, value: 3n })).wait();
    expect(await ethers.provider.getBalance(other.address)).to.equal(before + 3n);
    await snapshot.restore();
    expect(await ethers.provider.getBalance(other.address)).to.equal(before);
  });

  it("drop what waits", async () => {
    const [owner, other] = await ethers.getSigners();
    await ethers.provider.send("evm_setAutomine", [false]);
    const sent = await owner.sendTransaction({ to: other.address, value: 3n });
    await helpers.dropTransaction(sent.hash);
    await ethers.provider.send("evm_setAutomine", [true]);
    await helpers.mine();
    expect(await ethers.provider.getTransactionReceipt(sent.hash)).to.equal(null);
  });
});
