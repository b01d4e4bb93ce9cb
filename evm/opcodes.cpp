#include "evm/opcodes.hpp"

#include "evm/status.hpp"

namespace keel::evm {
namespace {

using core::ForkRules;

constexpr const char* kPush[] = {
    "PUSH1",  "PUSH2",  "PUSH3",  "PUSH4",  "PUSH5",  "PUSH6",  "PUSH7",  "PUSH8",
    "PUSH9",  "PUSH10", "PUSH11", "PUSH12", "PUSH13", "PUSH14", "PUSH15", "PUSH16",
    "PUSH17", "PUSH18", "PUSH19", "PUSH20", "PUSH21", "PUSH22", "PUSH23", "PUSH24",
    "PUSH25", "PUSH26", "PUSH27", "PUSH28", "PUSH29", "PUSH30", "PUSH31", "PUSH32"};
constexpr const char* kDup[] = {"DUP1",  "DUP2",  "DUP3",  "DUP4",  "DUP5",  "DUP6",
                                "DUP7",  "DUP8",  "DUP9",  "DUP10", "DUP11", "DUP12",
                                "DUP13", "DUP14", "DUP15", "DUP16"};
constexpr const char* kSwap[] = {"SWAP1",  "SWAP2",  "SWAP3",  "SWAP4",  "SWAP5",  "SWAP6",
                                 "SWAP7",  "SWAP8",  "SWAP9",  "SWAP10", "SWAP11", "SWAP12",
                                 "SWAP13", "SWAP14", "SWAP15", "SWAP16"};
constexpr const char* kLog[] = {"LOG0", "LOG1", "LOG2", "LOG3", "LOG4"};

constexpr std::array<OpInfo, 256> make() {
    std::array<OpInfo, 256> t{};
    t[0x00] = {"STOP", 0, 0, 0, nullptr};
    t[0x01] = {"ADD", 2, 1, 3, nullptr};
    t[0x02] = {"MUL", 2, 1, 5, nullptr};
    t[0x03] = {"SUB", 2, 1, 3, nullptr};
    t[0x04] = {"DIV", 2, 1, 5, nullptr};
    t[0x05] = {"SDIV", 2, 1, 5, nullptr};
    t[0x06] = {"MOD", 2, 1, 5, nullptr};
    t[0x07] = {"SMOD", 2, 1, 5, nullptr};
    t[0x08] = {"ADDMOD", 3, 1, 8, nullptr};
    t[0x09] = {"MULMOD", 3, 1, 8, nullptr};
    t[0x0a] = {"EXP", 2, 1, 10, nullptr};
    t[0x0b] = {"SIGNEXTEND", 2, 1, 5, nullptr};
    t[0x10] = {"LT", 2, 1, 3, nullptr};
    t[0x11] = {"GT", 2, 1, 3, nullptr};
    t[0x12] = {"SLT", 2, 1, 3, nullptr};
    t[0x13] = {"SGT", 2, 1, 3, nullptr};
    t[0x14] = {"EQ", 2, 1, 3, nullptr};
    t[0x15] = {"ISZERO", 1, 1, 3, nullptr};
    t[0x16] = {"AND", 2, 1, 3, nullptr};
    t[0x17] = {"OR", 2, 1, 3, nullptr};
    t[0x18] = {"XOR", 2, 1, 3, nullptr};
    t[0x19] = {"NOT", 1, 1, 3, nullptr};
    t[0x1a] = {"BYTE", 2, 1, 3, nullptr};
    t[0x1b] = {"SHL", 2, 1, 3, &ForkRules::eip_145};
    t[0x1c] = {"SHR", 2, 1, 3, &ForkRules::eip_145};
    t[0x1d] = {"SAR", 2, 1, 3, &ForkRules::eip_145};
    t[0x1e] = {"CLZ", 1, 1, 5, &ForkRules::eip_7939};
    t[0x20] = {"KECCAK256", 2, 1, 30, nullptr};
    t[0x30] = {"ADDRESS", 0, 1, 2, nullptr};
    t[0x31] = {"BALANCE", 1, 1, 20, nullptr};
    t[0x32] = {"ORIGIN", 0, 1, 2, nullptr};
    t[0x33] = {"CALLER", 0, 1, 2, nullptr};
    t[0x34] = {"CALLVALUE", 0, 1, 2, nullptr};
    t[0x35] = {"CALLDATALOAD", 1, 1, 3, nullptr};
    t[0x36] = {"CALLDATASIZE", 0, 1, 2, nullptr};
    t[0x37] = {"CALLDATACOPY", 3, 0, 3, nullptr};
    t[0x38] = {"CODESIZE", 0, 1, 2, nullptr};
    t[0x39] = {"CODECOPY", 3, 0, 3, nullptr};
    t[0x3a] = {"GASPRICE", 0, 1, 2, nullptr};
    t[0x3b] = {"EXTCODESIZE", 1, 1, 20, nullptr};
    t[0x3c] = {"EXTCODECOPY", 4, 0, 20, nullptr};
    t[0x3d] = {"RETURNDATASIZE", 0, 1, 2, &ForkRules::eip_211};
    t[0x3e] = {"RETURNDATACOPY", 3, 0, 3, &ForkRules::eip_211};
    t[0x3f] = {"EXTCODEHASH", 1, 1, 400, &ForkRules::eip_1052};
    t[0x40] = {"BLOCKHASH", 1, 1, 20, nullptr};
    t[0x41] = {"COINBASE", 0, 1, 2, nullptr};
    t[0x42] = {"TIMESTAMP", 0, 1, 2, nullptr};
    t[0x43] = {"NUMBER", 0, 1, 2, nullptr};
    t[0x44] = {"DIFFICULTY", 0, 1, 2, nullptr};
    t[0x45] = {"GASLIMIT", 0, 1, 2, nullptr};
    t[0x46] = {"CHAINID", 0, 1, 2, &ForkRules::eip_1344};
    t[0x47] = {"SELFBALANCE", 0, 1, 5, &ForkRules::eip_1884};
    t[0x48] = {"BASEFEE", 0, 1, 2, &ForkRules::eip_3198};
    t[0x49] = {"BLOBHASH", 1, 1, 3, &ForkRules::eip_4844};
    t[0x4a] = {"BLOBBASEFEE", 0, 1, 2, &ForkRules::eip_7516};
    t[0x50] = {"POP", 1, 0, 2, nullptr};
    t[0x51] = {"MLOAD", 1, 1, 3, nullptr};
    t[0x52] = {"MSTORE", 2, 0, 3, nullptr};
    t[0x53] = {"MSTORE8", 2, 0, 3, nullptr};
    t[0x54] = {"SLOAD", 1, 1, 50, nullptr};
    t[0x55] = {"SSTORE", 2, 0, 0, nullptr};
    t[0x56] = {"JUMP", 1, 0, 8, nullptr};
    t[0x57] = {"JUMPI", 2, 0, 10, nullptr};
    t[0x58] = {"PC", 0, 1, 2, nullptr};
    t[0x59] = {"MSIZE", 0, 1, 2, nullptr};
    t[0x5a] = {"GAS", 0, 1, 2, nullptr};
    t[0x5b] = {"JUMPDEST", 0, 0, 1, nullptr};
    t[0x5c] = {"TLOAD", 1, 1, 100, &ForkRules::eip_1153};
    t[0x5d] = {"TSTORE", 2, 0, 100, &ForkRules::eip_1153};
    t[0x5e] = {"MCOPY", 3, 0, 3, &ForkRules::eip_5656};
    t[0x5f] = {"PUSH0", 0, 1, 2, &ForkRules::eip_3855};
    for (uint8_t n = 0; n < 32; ++n) t[0x60u + n] = {kPush[n], 0, 1, 3, nullptr};
    for (uint8_t n = 0; n < 16; ++n) {
        const auto depth = static_cast<uint8_t>(n + 1);
        t[0x80u + n] = {kDup[n], depth, static_cast<uint8_t>(depth + 1), 3, nullptr};
        const auto reach = static_cast<uint8_t>(n + 2);
        t[0x90u + n] = {kSwap[n], reach, reach, 3, nullptr};
    }
    for (uint8_t n = 0; n < 5; ++n) {
        t[0xa0u + n] = {kLog[n], static_cast<uint8_t>(n + 2), 0,
                        static_cast<uint16_t>(375 * (n + 1)), nullptr};
    }
    t[0xf0] = {"CREATE", 3, 1, 32000, nullptr};
    t[0xf1] = {"CALL", 7, 1, 40, nullptr};
    t[0xf2] = {"CALLCODE", 7, 1, 40, nullptr};
    t[0xf3] = {"RETURN", 2, 0, 0, nullptr};
    t[0xf4] = {"DELEGATECALL", 6, 1, 40, &ForkRules::eip_7};
    t[0xf5] = {"CREATE2", 4, 1, 32000, &ForkRules::eip_1014};
    t[0xfa] = {"STATICCALL", 6, 1, 40, &ForkRules::eip_214};
    t[0xfd] = {"REVERT", 2, 0, 0, &ForkRules::eip_140};
    t[0xff] = {"SELFDESTRUCT", 1, 0, 0, nullptr};
    return t;  // 0xfe, INVALID, is left unassigned: it halts like any other (EIP-141)
}

constexpr std::array<OpInfo, 256> kInfos = make();

}  // namespace

const std::array<OpInfo, 256>& op_infos() noexcept {
    return kInfos;
}

const char* to_string(Status status) noexcept {
    switch (status) {
        case Status::Success:
            return "success";
        case Status::Revert:
            return "revert";
        case Status::OutOfGas:
            return "out of gas";
        case Status::InvalidOpcode:
            return "invalid opcode";
        case Status::StackUnderflow:
            return "stack underflow";
        case Status::StackOverflow:
            return "stack overflow";
        case Status::BadJump:
            return "bad jump destination";
        case Status::StaticViolation:
            return "write in a static call";
        case Status::ReturnDataOutOfBounds:
            return "return data out of bounds";
        case Status::InitCodeTooLarge:
            return "init code too large";
        case Status::PrecompileFailure:
            return "precompile failure";
        case Status::InvalidCode:
            return "new code starts with 0xef";
        case Status::CodeTooLarge:
            return "new code too large";
        case Status::CodeUnpaid:
            return "out of gas for new code";
        case Status::CreateCollision:
            return "create collision";
        case Status::DepthExceeded:
            return "call depth exceeded";
        case Status::InsufficientBalance:
            return "insufficient balance";
        case Status::NonceOverflow:
            return "nonce overflow";
    }
    return "unknown";
}

}  // namespace keel::evm
