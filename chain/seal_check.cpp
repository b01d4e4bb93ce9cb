#include "chain/seal_check.hpp"

#include "core/endian.hpp"
#include "crypto/keccak.hpp"

namespace keel::chain {

core::Hash32 seal_hash(const core::Header& header) {
    core::Bytes rlp;
    const size_t begin = core::rlp_begin_list(rlp);
    core::rlp_append_string(rlp, header.parent_hash);
    core::rlp_append_string(rlp, header.ommers_hash);
    core::rlp_append_string(rlp, header.coinbase);
    core::rlp_append_string(rlp, header.state_root);
    core::rlp_append_string(rlp, header.tx_root);
    core::rlp_append_string(rlp, header.receipts_root);
    core::rlp_append_string(rlp, header.bloom);
    core::rlp_append_uint(rlp, header.difficulty);
    core::rlp_append_uint(rlp, header.number);
    core::rlp_append_uint(rlp, header.gas_limit);
    core::rlp_append_uint(rlp, header.gas_used);
    core::rlp_append_uint(rlp, header.timestamp);
    core::rlp_append_string(rlp, header.extra_data);
    if (header.base_fee) core::rlp_append_uint(rlp, *header.base_fee);  // EIP-1559
    core::rlp_end_list(rlp, begin);
    return crypto::keccak256(rlp);
}

core::Result<void, Rejection> check_seal(crypto::Ethash& ethash, const core::Header& header) {
    const uint64_t nonce = core::load_be<uint64_t>(header.nonce.data());
    if (header.difficulty.is_zero() ||
        !ethash.verify_seal(seal_hash(header), header.number, header.mix_hash, nonce,
                            header.difficulty)) {
        return core::unexpected(reject<Verdict::Seal>("mix hash or nonce do not fit the header"));
    }
    return {};
}

}  // namespace keel::chain
