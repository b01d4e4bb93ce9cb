#pragma once

#include <vector>

#include "core/rlp.hpp"
#include "core/types/block.hpp"
#include "crypto/recover.hpp"

namespace keel::crypto {

/// A block with all that is computed of it once. Can be moved, not copied: `block` views `rlp`.
struct SealedBlock {
    core::Bytes rlp;
    core::Block block;
    core::Hash32 hash;
    std::vector<core::Hash32> tx_hashes;
    std::vector<core::Address> senders;  // empty until recover_senders

    SealedBlock() = default;
    SealedBlock(SealedBlock&&) noexcept = default;
    SealedBlock& operator=(SealedBlock&&) noexcept = default;
    SealedBlock(const SealedBlock&) = delete;
    SealedBlock& operator=(const SealedBlock&) = delete;
};

/// Decodes a block that fills `rlp`, and hashes it and its transactions.
[[nodiscard]] core::RlpResult<SealedBlock> seal(const core::Bytes& rlp);
/// The same without a copy. Bytes that do not decode stay in `rlp`, so that the caller can say more
/// about them.
[[nodiscard]] core::RlpResult<SealedBlock> seal(core::Bytes&& rlp);

struct BadSender {
    size_t tx_index;
    SignatureError error;
};
/// Fills `senders`; stops at the first transaction that has none and leaves them empty.
[[nodiscard]] core::Result<void, BadSender> recover_senders(SealedBlock& sealed,
                                                            const core::ForkRules& rules);

}  // namespace keel::crypto
