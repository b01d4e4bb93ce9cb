#include "core/types/block.hpp"

#include "core/types/rlp_read.hpp"

namespace keel::core {

RlpResult<Block> decode_block(RlpReader& from) {
    auto list = from.list();
    if (!list) return unexpected(list.error());
    const auto read_header = [](RlpReader& reader) { return decode_header(reader); };
    auto header = read_header(*list);
    if (!header) return unexpected(header.error());
    Block block;
    block.header = *std::move(header);
    FieldReader fields(*list);
    fields.list_of(block.txs, decode_body_tx);
    fields.list_of(block.ommers, read_header);
    if (fields.ok() && !list->at_end()) {
        fields.list_of(block.withdrawals.emplace(), decode_withdrawal);
    }
    fields.end();
    if (!fields.ok()) return unexpected(fields.error());
    return block;
}

RlpResult<Block> decode_block(ByteView rlp) {
    RlpReader reader(rlp);
    auto block = decode_block(reader);
    if (block && !reader.at_end()) return unexpected(RlpError::TrailingBytes);
    return block;
}

void append_ommers(Bytes& to, const std::vector<Header>& ommers) {
    const size_t begin = rlp_begin_list(to);
    for (const Header& ommer : ommers) append_header(to, ommer);
    rlp_end_list(to, begin);
}

void append_block(Bytes& to, const Block& block) {
    const size_t begin = rlp_begin_list(to);
    append_header(to, block.header);
    const size_t begin_txs = rlp_begin_list(to);
    for (const Tx& tx : block.txs) append_body_tx(to, tx);
    rlp_end_list(to, begin_txs);
    append_ommers(to, block.ommers);
    if (block.withdrawals) {
        const size_t begin_withdrawals = rlp_begin_list(to);
        for (const Withdrawal& withdrawal : *block.withdrawals) append_withdrawal(to, withdrawal);
        rlp_end_list(to, begin_withdrawals);
    }
    rlp_end_list(to, begin);
}

}  // namespace keel::core
