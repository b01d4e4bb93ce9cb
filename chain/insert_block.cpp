#include "chain/ancestors.hpp"
#include "chain/body_rules.hpp"
#include "chain/chain.hpp"
#include "chain/chain_impl.hpp"
#include "chain/header_rules.hpp"
#include "chain/root_report.hpp"
#include "chain/seal_check.hpp"
#include "state/layer.hpp"

namespace keel::chain {

using core::unexpected;

namespace {

/// Ancestors of a block for the rules of ommers, from the parent downwards.
class OmmerAncestors {
  public:
    OmmerAncestors(const BlockReader& reader, const ForkSchedule& schedule, const BlockId& parent)
        : reader_(reader), schedule_(schedule), walked_{parent} {}

    std::optional<OmmerAncestor> operator()(uint64_t distance) {
        while (walked_.size() < distance) {
            if (walked_.back().number == 0) return std::nullopt;
            walked_.push_back(reader_.parent_of(walked_.back()));
        }
        const BlockId& id = walked_[distance - 1];
        auto header = reader_.header(id);
        const auto total_difficulty = reader_.total_difficulty(id);
        if (!header || !total_difficulty) return std::nullopt;
        return OmmerAncestor{
            .hash = id.hash,
            .header = *std::move(header),
            .ommers = reader_.ommers(id),
            .proof_of_stake_child = schedule_.is_proof_of_stake(*total_difficulty)};
    }

  private:
    const BlockReader& reader_;
    const ForkSchedule& schedule_;
    std::vector<BlockId> walked_;
};

}  // namespace

core::Result<void, Rejection> Chain::Impl::check_seals(const core::Block& block) {
    if (auto sealed = check_seal(ethash, block.header); !sealed) return sealed;
    for (const core::Header& ommer : block.ommers) {
        if (auto sealed = check_seal(ethash, ommer); !sealed) return sealed;
    }
    return {};
}

core::Result<void, Rejection> Chain::Impl::recover_senders(crypto::SealedBlock& sealed,
                                                           const core::ForkRules& rules) const {
    if (sealed.senders.size() == sealed.block.txs.size()) return {};
    const auto recovered = crypto::recover_senders(sealed, rules);
    if (recovered) return {};
    const size_t index = recovered.error().tx_index;
    return unexpected(in_tx(index, sealed.tx_hashes[index], reject<Verdict::TxBadSignature>()));
}

core::Result<BlockOutcome, Rejection> Chain::Impl::judge(const db::ReadTxn& txn,
                                                         crypto::SealedBlock& sealed,
                                                         const StoredBlock& parent) {
    const core::Header& header = sealed.block.header;
    const bool proof_of_stake = schedule.is_proof_of_stake(parent.total_difficulty);
    if (const auto fork = schedule.unsupported_at(header.timestamp)) {
        return unexpected(reject<Verdict::ForkNotSupported>(*fork));
    }
    const BlockRules rules = schedule.at(header.number, header.timestamp, proof_of_stake);
    if (auto checked = check_header(header, parent.header, rules, schedule, proof_of_stake,
                                    options.header_checks);
        !checked) {
        return unexpected(std::move(checked.error()));
    }
    const BlockReader reader(txn, tables);
    if (auto checked =
            check_body(sealed, rules, schedule, OmmerAncestors(reader, schedule, parent.id));
        !checked) {
        return unexpected(std::move(checked.error()));
    }
    if (options.verify_seal && !proof_of_stake) {
        if (auto checked = check_seals(sealed.block); !checked) {
            return unexpected(std::move(checked.error()));
        }
    }
    if (auto recovered = recover_senders(sealed, rules.rules); !recovered) {
        return unexpected(std::move(recovered.error()));
    }

    const ForkChoice::Path path = fork_choice.path_to(txn, parent.id);
    state::NewestState newest(txn, tables);
    state::NewestTries newest_tries(txn, tables);
    AncestorHashes hashes(txn, tables, parent.id);
    const auto execute = [&](state::StateReader& state, state::TrieReader& tries) {
        return execute_block(executor, schedule, rules, sealed, state, tries, hashes);
    };
    core::Result<BlockOutcome, Rejection> outcome = [&] {
        if (path.layers().empty()) return execute(newest, newest_tries);
        state::LayeredState state(newest, path.layers());
        state::LayeredTries tries(newest_tries, path.layers());
        return execute(state, tries);
    }();
    if (!outcome) return outcome;
    if (auto verified = verify_outcome(header, *outcome, rules.rules); !verified) {
        if (verified.error().verdict == Verdict::StateRoot) {
            verified.error().evidence = root_report(sealed, *outcome);
        }
        return unexpected(std::move(verified.error()));
    }
    return outcome;
}

void Chain::Impl::mark_bad(db::WriteTxn& txn, const crypto::SealedBlock& sealed,
                           const BlockId& last_valid, const Rejection& rejection) {
    BadBlock bad;
    bad.verdict = rejection.verdict;
    bad.text = rejection.text;
    bad.last_valid = last_valid;
    bad.producer = options.producer;
    bad.rlp = sealed.rlp;
    put_bad_block(txn, tables, sealed.hash, bad);
}

std::optional<Rejection> Chain::Impl::refuse_known_bad(db::WriteTxn& txn,
                                                       const crypto::SealedBlock& sealed) {
    const auto bad = find_bad_block(txn, tables, sealed.hash);
    if (!bad) return std::nullopt;
    if (bad->producer == options.producer) return Rejection{Verdict::KnownBad, bad->text};
    delete_bad_block(txn, tables, sealed.hash);
    return std::nullopt;
}

Rejection Chain::Impl::refuse_orphan(db::WriteTxn& txn, const crypto::SealedBlock& sealed,
                                     HeadRule rule) {
    // To an import the parent is missing; a consensus client is told why (execution-apis:
    // descendants of an invalid payload are invalid).
    if (rule == HeadRule::Import) return reject<Verdict::UnknownAncestor>();
    const auto bad = find_bad_block(txn, tables, sealed.block.header.parent_hash);
    if (!bad || bad->producer != options.producer) return reject<Verdict::UnknownAncestor>();
    Rejection rejection{Verdict::KnownBad, "links to previously rejected block"};
    mark_bad(txn, sealed, bad->last_valid, rejection);
    return rejection;
}

bool Chain::Impl::wins(const StoredBlock& newest, const StoredBlock& block) const {
    if (block.proof_of_stake) return true;
    return !newest.proof_of_stake && block.total_difficulty > newest.total_difficulty;
}

core::Result<Inserted, Rejection> Chain::insert_block(db::WriteTxn& txn,
                                                      crypto::SealedBlock& sealed, HeadRule rule) {
    Impl& chain = *impl_;
    const core::Header& header = sealed.block.header;
    Inserted inserted{.id = {header.number, sealed.hash},
                      .gas_used = header.gas_used,
                      .tx_count = sealed.block.txs.size()};
    if (BlockReader(txn, chain.tables).number_of(sealed.hash)) {
        inserted.known = true;
        return inserted;
    }
    if (auto refused = chain.refuse_known_bad(txn, sealed)) return unexpected(*std::move(refused));
    const StoredBlock* parent = chain.find(txn, header.parent_hash);
    if (parent == nullptr) return unexpected(chain.refuse_orphan(txn, sealed, rule));

    auto outcome = chain.judge(txn, sealed, *parent);
    if (!outcome) {
        if (leaves_mark(outcome.error().verdict)) {
            chain.mark_bad(txn, sealed, parent->id, outcome.error());
        }
        return unexpected(std::move(outcome.error()));
    }
    StoredBlock block{.id = inserted.id,
                      .header = header,
                      .total_difficulty = parent->total_difficulty + header.difficulty,
                      .proof_of_stake = chain.schedule.is_proof_of_stake(parent->total_difficulty)};
    const bool on_head = parent->id == chain.fork_choice.head(txn);
    inserted.became_head = rule == HeadRule::Import && chain.wins(chain.head(txn), block);

    put_block(txn, chain.tables, sealed, block.total_difficulty);
    put_receipts(txn, chain.tables, block.id, outcome->receipt_row);
    ExecutedLayer layer{{std::move(outcome->changes), std::move(outcome->tries)},
                        std::move(outcome->tries_before)};
    chain.pending_bytes +=
        sealed.rlp.size() + outcome->receipt_row.bytes.size() + layer.layer.bytes();
    if (inserted.became_head && on_head) {
        chain.fork_choice.extend(txn, block.id, sealed.tx_hashes, std::move(layer));
    } else {
        chain.fork_choice.add_branch_block(txn, block.id, std::move(layer));
        if (inserted.became_head) chain.fork_choice.set_head(txn, block.id);
    }
    (inserted.became_head ? chain.head_block : chain.last_block) = std::move(block);
    return inserted;
}

}  // namespace keel::chain
