#pragma once

#include <optional>

#include "core/bytes.hpp"

namespace keel::state {

// Paths in a trie are written one nibble (0 to 15) a byte, high nibble of a key's byte first.

inline constexpr size_t kKeyNibbles = 64;  // of a 32-byte key

/// Writes 2 * bytes.size() nibbles to `to`.
void expand_nibbles(core::ByteView bytes, uint8_t* to) noexcept;

/// How many nibbles both begin with.
size_t common_prefix(core::ByteView a, core::ByteView b) noexcept;

/// Appends the hex-prefix form of a path (yellow paper, appendix C): first nibble 2 for a leaf,
/// plus 1 for an odd count; two nibbles a byte.
void append_hex_prefix(core::Bytes& to, core::ByteView nibbles, bool leaf);

/// A hex-prefix path, still packed.
struct PackedPath {
    core::ByteView packed;
    bool leaf = false;
    size_t nibbles = 0;

    /// Writes `nibbles` nibbles to `to`.
    void unpack(uint8_t* to) const noexcept;
};

/// None: no path in hex-prefix form (empty, unknown flag, padding that is not zero).
std::optional<PackedPath> parse_hex_prefix(core::ByteView packed) noexcept;

}  // namespace keel::state
