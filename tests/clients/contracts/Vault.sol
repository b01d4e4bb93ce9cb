// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// Keeps ether for a while.
contract Vault {
    event Deposited(address indexed from, uint256 amount);
    event Withdrawn(address indexed to, uint256 amount);

    error TooEarly(uint256 now_, uint256 unlocked);
    error NotOwner(address caller);

    address public owner;
    uint256 public unlockTime;
    mapping(address => uint256) public deposits;

    constructor(uint256 unlock) payable {
        require(unlock > block.timestamp, "unlock time is in the past");
        owner = msg.sender;
        unlockTime = unlock;
    }

    function deposit() external payable {
        require(msg.value > 0, "nothing to deposit");
        deposits[msg.sender] += msg.value;
        emit Deposited(msg.sender, msg.value);
    }

    function withdraw() external {
        if (msg.sender != owner) revert NotOwner(msg.sender);
        if (block.timestamp < unlockTime) revert TooEarly(block.timestamp, unlockTime);
        uint256 amount = address(this).balance;
        emit Withdrawn(msg.sender, amount);
        payable(owner).transfer(amount);
    }

    function divide(uint256 a, uint256 b) external pure returns (uint256) {
        return a / b;
    }
}
