#include "rpc/debug/op_name.hpp"

#include <fmt/format.h>

#include "evm/opcodes.hpp"

namespace keel::rpc::debug {

std::string op_name(uint8_t op) {
    if (op == static_cast<uint8_t>(evm::Op::INVALID)) return "INVALID";
    const char* const name = evm::op_infos()[op].name;
    return name != nullptr ? name : fmt::format("opcode {:#x} not defined", op);
}

}  // namespace keel::rpc::debug
