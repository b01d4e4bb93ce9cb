#pragma once

#include <string>

#include "core/bytes.hpp"

namespace keel::cmd {

/// A key or value of the command line: 0x and hex digits, else the text itself. Throws Usage.
core::Bytes key_bytes(const std::string& text);

}  // namespace keel::cmd
