#include "chain/bad_blocks.hpp"

#include <algorithm>
#include <utility>

#include "core/endian.hpp"
#include "core/fault.hpp"
#include "core/rlp.hpp"
#include "state/codecs.hpp"

namespace keel::chain {

using core::ByteView;
using core::Hash32;

namespace {

constexpr size_t kOrderBytes = 8;

[[noreturn]] void throw_damaged() {
    throw core::Fault(core::FaultKind::Damaged,
                      "a row of table BadBlock does not decode: run keel db check");
}

ByteView next_string(core::RlpReader& fields) {
    const auto bytes = fields.string();
    if (!bytes) throw_damaged();
    return *bytes;
}

/// Order of arrival and key of every row, oldest first.
std::vector<std::pair<uint64_t, Hash32>> by_arrival(const db::ReadTxn& txn,
                                                    const state::Tables& tables) {
    std::vector<std::pair<uint64_t, Hash32>> rows;
    db::ReadCursor cursor = txn.cursor(tables.bad_block);
    for (auto row = cursor.first(); row; row = cursor.next()) {
        if (row->key.size() != Hash32::kSize || row->value.size() < kOrderBytes) throw_damaged();
        rows.emplace_back(core::load_be<uint64_t>(row->value.data()), Hash32(row->key));
    }
    std::ranges::sort(rows);
    return rows;
}

}  // namespace

std::optional<BadBlock> find_bad_block(const db::ReadTxn& txn, const state::Tables& tables,
                                       const Hash32& hash) {
    const auto row = txn.get(tables.bad_block, hash);
    if (!row) return std::nullopt;
    auto fields = core::rlp_outer_list(row->sub(kOrderBytes));
    if (!fields) throw_damaged();
    const auto verdict = verdict_of_name(next_string(*fields).text());
    if (!verdict) return std::nullopt;
    BadBlock bad;
    bad.verdict = *verdict;
    bad.text = next_string(*fields).text();
    const ByteView last_valid = next_string(*fields);
    if (last_valid.size() != 8 + Hash32::kSize) throw_damaged();
    bad.last_valid = {state::number_of_key(last_valid), Hash32(last_valid.sub(8))};
    bad.producer = next_string(*fields).text();
    bad.rlp = next_string(*fields);
    return bad;
}

std::vector<Hash32> bad_block_hashes(const db::ReadTxn& txn, const state::Tables& tables) {
    const auto rows = by_arrival(txn, tables);
    std::vector<Hash32> hashes;
    hashes.reserve(rows.size());
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) hashes.push_back(row->second);
    return hashes;
}

void put_bad_block(db::WriteTxn& txn, const state::Tables& tables, const Hash32& hash,
                   const BadBlock& bad) {
    core::Bytes row(kOrderBytes);
    core::store_be(row.data(), txn.increment(tables.bad_block, 1));
    const size_t begin = core::rlp_begin_list(row);
    core::rlp_append_string(row, to_string(bad.verdict));
    core::rlp_append_string(row, bad.text);
    core::rlp_append_string(row, state::block_key(bad.last_valid.number, bad.last_valid.hash));
    core::rlp_append_string(row, bad.producer);
    core::rlp_append_string(row, bad.rlp);
    core::rlp_end_list(row, begin);
    txn.put(tables.bad_block, hash, row);
    if (txn.count(tables.bad_block) > kBadBlocksMax) {
        txn.del(tables.bad_block, by_arrival(txn, tables).front().second);
    }
}

void delete_bad_block(db::WriteTxn& txn, const state::Tables& tables, const Hash32& hash) {
    txn.del(tables.bad_block, hash);
}

}  // namespace keel::chain
