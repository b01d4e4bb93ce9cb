#include "crypto/seal.hpp"

#include "crypto/keccak.hpp"

namespace keel::crypto {

core::RlpResult<SealedBlock> seal(const core::Bytes& rlp) {
    return seal(core::Bytes(rlp));
}

core::RlpResult<SealedBlock> seal(core::Bytes&& rlp) {
    auto block = core::decode_block(core::ByteView(rlp));
    if (!block) return core::unexpected(block.error());
    auto items = core::rlp_outer_list(rlp);
    if (!items) return core::unexpected(items.error());
    const auto header = items->item();
    if (!header) return core::unexpected(header.error());
    SealedBlock sealed;
    sealed.hash = keccak256(*header);
    sealed.block = *std::move(block);
    std::vector<core::ByteView> raws;
    raws.reserve(sealed.block.txs.size());
    for (const core::Tx& tx : sealed.block.txs) raws.push_back(tx.raw);
    sealed.tx_hashes.resize(raws.size());
    keccak256_batch(raws, sealed.tx_hashes);
    // The views of the block stay right: moving a vector keeps its elements where they are.
    sealed.rlp = std::move(rlp);
    return sealed;
}

core::Result<void, BadSender> recover_senders(SealedBlock& sealed, const core::ForkRules& rules) {
    std::vector<core::Address> senders;
    senders.reserve(sealed.block.txs.size());
    for (size_t i = 0; i < sealed.block.txs.size(); ++i) {
        const auto sender = recover_sender(sealed.block.txs[i], rules);
        if (!sender) return core::unexpected(BadSender{i, sender.error()});
        senders.push_back(*sender);
    }
    sealed.senders = std::move(senders);
    return {};
}

}  // namespace keel::crypto
