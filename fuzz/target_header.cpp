#include "core/types/header.hpp"
#include "fuzz/fuzz.hpp"

using namespace keel;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const core::ByteView input(data, size);
    const auto header = core::decode_header(input);
    if (!header) return 0;
    core::Bytes encoded;
    core::append_header(encoded, *header);
    fuzz::require(input == core::ByteView(encoded), "a header has one encoding");
    int fitting = 0;
    for (const core::Fork fork : {core::Fork::Frontier, core::Fork::London, core::Fork::Shanghai,
                                  core::Fork::Cancun, core::Fork::Prague}) {
        if (core::has_fields_of(*header, core::rules_of(fork))) ++fitting;
    }
    fuzz::require(fitting == 1, "the fields of a header are those of one kind of forks");
    return 0;
}
