#include "chain/body_rules.hpp"

#include <algorithm>
#include <span>

#include "chain/header_rules.hpp"
#include "chain/tx_rules.hpp"
#include "core/types/block.hpp"
#include "crypto/keccak.hpp"
#include "state/trie/ordered_root.hpp"

namespace keel::chain {
namespace {

using core::Bytes;
using core::ByteView;
using core::Hash32;
using core::Header;
using Checked = core::Result<void, Rejection>;

constexpr size_t kOmmersMax = 2;  // yellow paper, 11.1
constexpr uint64_t kOmmerGenerations =
    7;  // ancestors that count; yellow paper, 11.1: 6 for parents

template <Verdict verdict, class... Args>
core::unexpected<Rejection> refuse(const Args&... args) {
    return core::unexpected(reject<verdict>(args...));
}

Hash32 hash_of(const Header& header) {
    Bytes rlp;
    append_header(rlp, header);
    return crypto::keccak256(rlp);
}

bool contains(std::span<const Hash32> hashes, const Hash32& hash) {
    return std::ranges::find(hashes, hash) != hashes.end();
}

// What the ommers of a block are measured against.
struct Family {
    std::vector<OmmerAncestor> ancestors;  // by distance, the parent first
    std::vector<Hash32> used;              // ommers of the ancestors, then those seen so far
};

Family family_of(const FindAncestor& find_ancestor) {
    Family family;
    for (uint64_t distance = 1; distance <= kOmmerGenerations; ++distance) {
        auto ancestor = find_ancestor(distance);
        if (!ancestor) break;
        for (const Header& ommer : ancestor->ommers) family.used.push_back(hash_of(ommer));
        family.ancestors.push_back(*std::move(ancestor));
    }
    return family;
}

// EVM.md 3.3: not used before, no ancestor, child of an ancestor older than the parent, and right
// by itself.
Checked check_ommer(const Header& ommer, const Hash32& hash, const Hash32& block_hash,
                    const Family& family, const ForkSchedule& schedule) {
    if (contains(family.used, hash)) return refuse<Verdict::OmmerDuplicate>(hash);
    const auto is_hash = [&hash](const OmmerAncestor& ancestor) { return ancestor.hash == hash; };
    if (hash == block_hash || std::ranges::any_of(family.ancestors, is_hash)) {
        return refuse<Verdict::OmmerIsAncestor>(hash);
    }
    const auto parent =
        std::ranges::find(family.ancestors, ommer.parent_hash, &OmmerAncestor::hash);
    if (parent == family.ancestors.begin() || parent == family.ancestors.end()) {
        return refuse<Verdict::OmmerDangling>(hash, ommer.parent_hash);
    }
    const bool proof_of_stake = parent->proof_of_stake_child;
    const BlockRules rules = schedule.at(ommer.number, ommer.timestamp, proof_of_stake);
    if (auto checked = check_header(ommer, parent->header, rules, schedule, proof_of_stake);
        !checked) {
        return refuse<Verdict::OmmerHeader>(hash, checked.error().text);
    }
    return {};
}

Checked check_ommers(const crypto::SealedBlock& sealed, const ForkSchedule& schedule,
                     const FindAncestor& find_ancestor) {
    const std::vector<Header>& ommers = sealed.block.ommers;
    // The hash first: what follows is then a fault of the header too.
    Bytes rlp;
    append_ommers(rlp, ommers);
    const Hash32 hash = crypto::keccak256(rlp);
    if (hash != sealed.block.header.ommers_hash) {
        return refuse<Verdict::OmmersHash>(sealed.block.header.ommers_hash, hash);
    }
    if (ommers.empty()) return {};
    if (ommers.size() > kOmmersMax) {
        return refuse<Verdict::TooManyOmmers>(ommers.size(), kOmmersMax);
    }
    Family family = family_of(find_ancestor);
    for (const Header& ommer : ommers) {
        const Hash32 ommer_hash = hash_of(ommer);
        if (auto checked = check_ommer(ommer, ommer_hash, sealed.hash, family, schedule);
            !checked) {
            return checked;
        }
        family.used.push_back(ommer_hash);
    }
    return {};
}

Checked check_tx_root(const core::Block& block) {
    std::vector<ByteView> raws;
    raws.reserve(block.txs.size());
    for (const core::Tx& tx : block.txs) raws.push_back(tx.raw);
    const Hash32 root = state::ordered_root(raws);
    if (root != block.header.tx_root) return refuse<Verdict::TxRoot>(block.header.tx_root, root);
    return {};
}

// The header has a withdrawals root if EIP-4895 holds: header_rules.
Checked check_withdrawals(const core::Block& block, const core::ForkRules& rules) {
    if (!rules.eip_4895) {
        if (block.withdrawals) return refuse<Verdict::WithdrawalsUnexpected>();
        return {};
    }
    if (!block.withdrawals) return refuse<Verdict::WithdrawalsMissing>();
    Bytes rlp;
    std::vector<size_t> ends;
    ends.reserve(block.withdrawals->size());
    for (const core::Withdrawal& withdrawal : *block.withdrawals) {
        append_withdrawal(rlp, withdrawal);
        ends.push_back(rlp.size());
    }
    std::vector<ByteView> values;
    values.reserve(ends.size());
    for (size_t begin = 0; const size_t end : ends) {
        values.push_back(ByteView(rlp).sub(begin, end - begin));
        begin = end;
    }
    const Hash32 root = state::ordered_root(values);
    if (root != block.header.withdrawals_root) {
        return refuse<Verdict::WithdrawalsRoot>(block.header.withdrawals_root.value_or(Hash32()),
                                                root);
    }
    return {};
}

Checked check_blob_gas(const core::Block& block, const core::ForkRules& rules) {
    if (!rules.eip_4844) return {};  // blob transactions: refused by their type
    uint64_t blobs = 0;
    for (const core::Tx& tx : block.txs) blobs += tx.blob_hashes.size();
    if (block.header.blob_gas_used != blobs * kGasPerBlob) {
        return refuse<Verdict::BlobGasUsed>(block.header.blob_gas_used.value_or(0),
                                            blobs * kGasPerBlob);
    }
    return {};
}

}  // namespace

Checked check_body(const crypto::SealedBlock& sealed, const BlockRules& block,
                   const ForkSchedule& schedule, const FindAncestor& find_ancestor) {
    if (block.rules.eip_7934 && sealed.rlp.size() > kBlockBytesMax) {
        return refuse<Verdict::BlockTooLarge>(sealed.rlp.size(), kBlockBytesMax);
    }
    if (auto checked = check_ommers(sealed, schedule, find_ancestor); !checked) return checked;
    if (auto checked = check_tx_root(sealed.block); !checked) return checked;
    if (auto checked = check_withdrawals(sealed.block, block.rules); !checked) return checked;
    return check_blob_gas(sealed.block, block.rules);
}

Rejection reject_undecodable_block(ByteView rlp, core::RlpError error) {
    const auto whole = [error] {
        return reject<Verdict::BlockUndecodable>(core::to_string(error));
    };
    auto parts = core::rlp_outer_list(rlp);
    if (!parts) return whole();
    const auto header = parts->item();
    if (!header || !core::decode_header(*header)) return whole();
    auto txs = parts->list();
    if (!txs) return whole();
    for (size_t i = 0; !txs->at_end(); ++i) {
        const auto raw = txs->next_is_list() ? txs->item() : txs->string();
        if (!raw) return whole();
        if (const auto tx = core::decode_tx(*raw); !tx) {
            return reject_undecodable(i, *raw, tx.error());
        }
    }
    return whole();
}

}  // namespace keel::chain
