// A project as people have it; its network is a running `keel daemon --dev`.
require("@nomicfoundation/hardhat-ethers");
require("@nomicfoundation/hardhat-chai-matchers");
const path = require("node:path");
const { subtask } = require("hardhat/config");
const { TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD } = require("hardhat/builtin-tasks/task-names");

const kSolc = "0.8.30";

// The compiler of npm: the download of another one needs a network.
subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async (args, hre, runSuper) => {
  if (args.solcVersion !== kSolc) return runSuper();
  return {
    compilerPath: path.join(path.dirname(require.resolve("solc")), "soljson.js"),
    isSolcJs: true,
    version: kSolc,
    longVersion: require("solc").version(),
  };
});

module.exports = {
  defaultNetwork: "keel",
  solidity: { version: kSolc, settings: { optimizer: { enabled: true, runs: 200 } } },
  networks: { keel: { url: process.env.KEEL_URL ?? "http://127.0.0.1:8545" } },
  mocha: { timeout: 60000 },
};
