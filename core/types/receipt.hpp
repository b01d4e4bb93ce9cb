#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "core/types/address.hpp"
#include "core/types/bloom.hpp"
#include "core/types/hash.hpp"
#include "core/types/tx.hpp"

namespace keel::core {

struct Log {
    Address address;
    std::vector<Hash32> topics;  // at most 4
    Bytes data;

    friend bool operator==(const Log&, const Log&) = default;
};

/// What a transaction left behind (yellow paper, 4.3.1; EIP-658).
struct Receipt {
    TxType type = TxType::Legacy;
    std::optional<Hash32> state_root;  // before Byzantium, in the place of the status
    bool success = false;
    uint64_t cumulative_gas_used = 0;  // of the block, up to and with this transaction
    Bloom bloom;
    std::vector<Log> logs;

    friend bool operator==(const Receipt&, const Receipt&) = default;
};

void append_log(Bytes& to, const Log& log);
/// Appends the list of the logs.
void append_logs(Bytes& to, const std::vector<Log>& logs);
/// Length of what append_logs appends.
size_t logs_length(const std::vector<Log>& logs) noexcept;
/// Appends the value of the receipts trie: the list, behind its type byte unless legacy.
void append_receipt(Bytes& to, const Receipt& receipt);
/// The same up to the list of the logs, which is `logs_bytes` long.
void append_receipt_head(Bytes& to, const Receipt& receipt, size_t logs_bytes);

}  // namespace keel::core
