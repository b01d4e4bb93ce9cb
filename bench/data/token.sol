// SPDX-License-Identifier: MIT
// The token workloads of evm_bench.cpp: each function runs one of them 5000 times in one call.
// token.hex is its runtime code: solc 0.8.26, optimizer with 1000 runs, EVM version istanbul.
pragma solidity ^0.8.20;

contract Token {
    mapping(address => uint256) private balances;
    mapping(address => mapping(address => uint256)) private allowances;
    uint256 private supply;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error InsufficientBalance(address account, uint256 balance, uint256 needed);
    error InsufficientAllowance(address spender, uint256 allowance, uint256 needed);
    error InvalidAccount(address account);

    function move(address from, address to, uint256 value) internal {
        if (from == address(0) || to == address(0)) revert InvalidAccount(address(0));
        uint256 balance = balances[from];
        if (balance < value) revert InsufficientBalance(from, balance, value);
        unchecked {
            balances[from] = balance - value;
            balances[to] += value;
        }
        emit Transfer(from, to, value);
    }

    function mint(address to, uint256 value) internal {
        if (to == address(0)) revert InvalidAccount(to);
        supply += value;
        unchecked {
            balances[to] += value;
        }
        emit Transfer(address(0), to, value);
    }

    function allow(address owner, address spender, uint256 value) internal {
        if (owner == address(0) || spender == address(0)) revert InvalidAccount(address(0));
        allowances[owner][spender] = value;
        emit Approval(owner, spender, value);
    }

    function spend(address owner, address spender, address to, uint256 value) internal {
        uint256 allowed = allowances[owner][spender];
        if (allowed < value) revert InsufficientAllowance(spender, allowed, value);
        allow(owner, spender, allowed - value);
        move(owner, to, value);
    }

    function runTransfer() external {
        mint(msg.sender, 5000 * 5000);
        for (uint256 i = 1; i < 5000; i++) move(msg.sender, address(uint160(0x1000)), i);
    }

    function runMint() external {
        for (uint256 i = 0; i < 5000; i++) mint(msg.sender, i);
    }

    function runApprove() external {
        mint(msg.sender, 5000 * 5000);
        for (uint256 i = 1; i <= 5000; i++) {
            address spender = address(uint160(i));
            allow(msg.sender, spender, i);
            spend(msg.sender, spender, address(uint160(0x1000)), i);
        }
    }

    function runHashes() external pure returns (bytes32 h) {
        for (uint256 i = 0; i < 5000; i++) h = keccak256(abi.encode(h, i));
    }
}
