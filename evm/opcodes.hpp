#pragma once

#include <array>
#include <cstdint>

#include "core/types/fork.hpp"

namespace keel::evm {

enum class Op : uint8_t {
    STOP = 0x00,
    ADD,
    MUL,
    SUB,
    DIV,
    SDIV,
    MOD,
    SMOD,
    ADDMOD,
    MULMOD,
    EXP,
    SIGNEXTEND,
    LT = 0x10,
    GT,
    SLT,
    SGT,
    EQ,
    ISZERO,
    AND,
    OR,
    XOR,
    NOT,
    BYTE,
    SHL,
    SHR,
    SAR,
    CLZ,
    KECCAK256 = 0x20,
    ADDRESS = 0x30,
    BALANCE,
    ORIGIN,
    CALLER,
    CALLVALUE,
    CALLDATALOAD,
    CALLDATASIZE,
    CALLDATACOPY,
    CODESIZE,
    CODECOPY,
    GASPRICE,
    EXTCODESIZE,
    EXTCODECOPY,
    RETURNDATASIZE,
    RETURNDATACOPY,
    EXTCODEHASH,
    BLOCKHASH = 0x40,
    COINBASE,
    TIMESTAMP,
    NUMBER,
    DIFFICULTY,
    GASLIMIT,
    CHAINID,
    SELFBALANCE,
    BASEFEE,
    BLOBHASH,
    BLOBBASEFEE,
    POP = 0x50,
    MLOAD,
    MSTORE,
    MSTORE8,
    SLOAD,
    SSTORE,
    JUMP,
    JUMPI,
    PC,
    MSIZE,
    GAS,
    JUMPDEST,
    TLOAD,
    TSTORE,
    MCOPY,
    PUSH0,
    PUSH1 = 0x60,
    PUSH32 = 0x7f,
    DUP1 = 0x80,
    DUP16 = 0x8f,
    SWAP1 = 0x90,
    SWAP16 = 0x9f,
    LOG0 = 0xa0,
    LOG1,
    LOG2,
    LOG3,
    LOG4,
    CREATE = 0xf0,
    CALL,
    CALLCODE,
    RETURN,
    DELEGATECALL,
    CREATE2,
    STATICCALL = 0xfa,
    REVERT = 0xfd,
    INVALID = 0xfe,
    SELFDESTRUCT = 0xff,
};

/// One opcode. `gas` is the part of the price that no operand and no state changes; where forks
/// changed it, it is that of Frontier and gas.cpp knows the others.
struct OpInfo {
    const char* name = nullptr;  // null: not assigned
    uint8_t in = 0;              // words that must be on the stack
    uint8_t out = 0;             // words in their place afterwards
    uint16_t gas = 0;
    bool core::ForkRules::* since = nullptr;  // null: from Frontier on
};

/// Indexed by the opcode. Source: yellow paper, appendix H, and the EIPs in `since`.
const std::array<OpInfo, 256>& op_infos() noexcept;

}  // namespace keel::evm
