#include "core/rlp.hpp"
#include "fuzz/fuzz.hpp"

using namespace keel;

namespace {

constexpr unsigned kDepthMax = 200;

/// Appends every item as it was read; false: not RLP.
bool copy(core::RlpReader reader, core::Bytes& to, unsigned depth) {
    while (!reader.at_end()) {
        if (reader.next_is_list()) {
            auto list = reader.list();
            if (!list || depth == kDepthMax) return false;
            const size_t begin = core::rlp_begin_list(to);
            if (!copy(*list, to, depth + 1)) return false;
            core::rlp_end_list(to, begin);
        } else {
            core::RlpReader again = reader;
            const auto number = again.u256();
            const auto text = reader.string();
            if (!text) {
                fuzz::require(!number, "a number in what is no string");
                return false;
            }
            if (number) {
                core::Bytes encoded;
                core::rlp_append_uint(encoded, *number);
                core::Bytes as_text;
                core::rlp_append_string(as_text, *text);
                fuzz::require(encoded == as_text, "a number has one encoding");
            }
            core::rlp_append_string(to, *text);
        }
    }
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const core::ByteView input(data, size);
    core::Bytes copied;
    if (copy(core::RlpReader(input), copied, 0)) {
        fuzz::require(input == core::ByteView(copied), "RLP has one encoding");
    }
    return 0;
}
