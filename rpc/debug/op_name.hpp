#pragma once

#include <string>

#include <cstdint>

namespace keel::rpc::debug {

/// As geth prints an opcode.
std::string op_name(uint8_t op);

}  // namespace keel::rpc::debug
