// The compiled test contract; as a program it prints the code that creates it.
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import solc from "solc";

export function compile() {
  const file = new URL("contracts/Vault.sol", import.meta.url);
  const output = JSON.parse(
    solc.compile(
      JSON.stringify({
        language: "Solidity",
        sources: { "Vault.sol": { content: fs.readFileSync(file, "utf8") } },
        settings: { outputSelection: { "*": { "*": ["abi", "evm.bytecode"] } } },
      }),
    ),
  );
  const vault = output.contracts["Vault.sol"].Vault;
  return { abi: vault.abi, bytecode: `0x${vault.evm.bytecode.object}` };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(compile().bytecode);
