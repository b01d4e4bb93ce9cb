#include "core/types/block.hpp"
#include "crypto/seal.hpp"
#include "fuzz/fuzz.hpp"

using namespace keel;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const core::Bytes input(data, data + size);
    auto sealed = crypto::seal(input);
    const auto block = core::decode_block(core::ByteView(input));
    fuzz::require(sealed.has_value() == block.has_value(), "seal and decode agree");
    if (!sealed) return 0;
    core::Bytes encoded;
    core::append_block(encoded, sealed->block);
    fuzz::require(encoded == input, "a block has one encoding");
    fuzz::require(sealed->tx_hashes.size() == block->txs.size(), "a hash for each transaction");
    (void)crypto::recover_senders(*sealed, core::rules_of(core::Fork::Osaka));
    return 0;
}
