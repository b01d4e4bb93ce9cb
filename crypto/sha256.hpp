#pragma once

#include "core/bytes.hpp"
#include "core/types/hash.hpp"

namespace keel::crypto {

/// SHA-256 (FIPS 180-4). SHA-NI where the machine has it, otherwise OpenSSL. Any thread.
core::Hash32 sha256(core::ByteView data) noexcept;

}  // namespace keel::crypto
