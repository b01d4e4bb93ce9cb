#pragma once

#include <optional>
#include <vector>

#include "core/rlp.hpp"
#include "core/types/header.hpp"
#include "core/types/tx.hpp"
#include "core/types/withdrawal.hpp"

namespace keel::core {

/// A header and its body. Whether body and header belong together is for the chain to check.
/// lifetime: the transactions view the buffer that the block was decoded from.
struct Block {
    Header header;
    std::vector<Tx> txs;
    std::vector<Header> ommers;
    std::optional<std::vector<Withdrawal>> withdrawals;  // from Shanghai on, even if empty
};

/// Decodes the next item of `from`.
[[nodiscard]] RlpResult<Block> decode_block(RlpReader& from);
/// Decodes a block that fills `rlp`.
[[nodiscard]] RlpResult<Block> decode_block(ByteView rlp);
/// Appends the RLP of the block, made of the fields.
void append_block(Bytes& to, const Block& block);
/// Appends the list of ommers, what the header's ommers hash is of.
void append_ommers(Bytes& to, const std::vector<Header>& ommers);

}  // namespace keel::core
