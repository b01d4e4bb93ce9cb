#include "state/trie/nibbles.hpp"

namespace keel::state {

namespace {

constexpr uint8_t kOdd = 1;
constexpr uint8_t kLeaf = 2;

constexpr uint8_t high(uint8_t byte) noexcept {
    return static_cast<uint8_t>(byte >> 4);
}
constexpr uint8_t low(uint8_t byte) noexcept {
    return static_cast<uint8_t>(byte & 0x0f);
}
constexpr uint8_t join(unsigned high_nibble, unsigned low_nibble) noexcept {
    return static_cast<uint8_t>((high_nibble << 4) | low_nibble);
}

}  // namespace

void expand_nibbles(core::ByteView bytes, uint8_t* to) noexcept {
    for (const uint8_t byte : bytes) {
        *to++ = high(byte);
        *to++ = low(byte);
    }
}

size_t common_prefix(core::ByteView a, core::ByteView b) noexcept {
    const size_t shorter = std::min(a.size(), b.size());
    size_t count = 0;
    while (count < shorter && a[count] == b[count]) ++count;
    return count;
}

void append_hex_prefix(core::Bytes& to, core::ByteView nibbles, bool leaf) {
    const bool odd = nibbles.size() % 2 != 0;
    const unsigned flag = (leaf ? kLeaf : 0u) | (odd ? kOdd : 0u);
    const size_t before = to.size();
    to.resize(before + 1 + nibbles.size() / 2);
    uint8_t* out = to.data() + before;
    *out++ = join(flag, odd ? nibbles[0] : 0u);
    for (size_t at = odd ? 1 : 0; at < nibbles.size(); at += 2)
        *out++ = join(nibbles[at], nibbles[at + 1]);
}

void PackedPath::unpack(uint8_t* to) const noexcept {
    if (nibbles % 2 != 0) *to++ = low(packed[0]);
    expand_nibbles(packed.sub(1), to);
}

std::optional<PackedPath> parse_hex_prefix(core::ByteView packed) noexcept {
    if (packed.empty()) return std::nullopt;
    const uint8_t flag = high(packed[0]);
    if (flag > (kLeaf | kOdd)) return std::nullopt;
    const bool odd = (flag & kOdd) != 0;
    if (!odd && low(packed[0]) != 0) return std::nullopt;
    return PackedPath{packed, (flag & kLeaf) != 0, 2 * (packed.size() - 1) + (odd ? 1 : 0)};
}

}  // namespace keel::state
