#include "chain/root_report.hpp"

#include <fmt/format.h>

#include <iterator>

#include "core/hex.hpp"
#include "crypto/keccak.hpp"

namespace keel::chain {

namespace {

constexpr size_t kShownPathNibblesMax = 2;  // of subtrees: 1 + 16 + 256 at most
constexpr size_t kShownKeysMax = 200'000;   // accounts and slots; a file stays below 100 MB

class Report {
  public:
    void text(std::string_view piece) { json_ += piece; }
    template <class... Args>
    void add(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(json_), format, std::forward<Args>(args)...);
    }
    std::string take() { return std::move(json_); }

    void account(const std::optional<core::Account>& account) {
        if (!account) return text("null");
        add(R"({{"nonce":{},"balance":"{}","storageRoot":"{}","codeHash":"{}"}})", account->nonce,
            account->balance.to_decimal(), core::to_hex_prefixed(account->storage_root),
            core::to_hex_prefixed(account->code_hash));
    }
    void hash_of(const std::optional<core::ByteView>& rlp) {
        if (!rlp) return text("null");
        add(R"("{}")", core::to_hex_prefixed(crypto::keccak256(*rlp)));
    }

  private:
    std::string json_;
};

std::string path_text(core::ByteView nibbles) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const uint8_t nibble : nibbles) text += kDigits[nibble & 15];
    return text;
}

std::string hex(const core::U256& value) {
    return core::to_hex_prefixed(value.to_be32());
}

}  // namespace

std::string root_report(const crypto::SealedBlock& sealed, const BlockOutcome& outcome) {
    const core::Header& header = sealed.block.header;
    Report report;
    report.add(
        R"({{"block":{},"hash":"{}","parent":"{}","stateRootOfHeader":"{}","stateRootComputed":"{}")",
        header.number, core::to_hex_prefixed(sealed.hash),
        core::to_hex_prefixed(header.parent_hash), core::to_hex_prefixed(header.state_root),
        core::to_hex_prefixed(outcome.state_root));

    report.text(",\n\"accounts\":[");
    size_t shown = 0;
    bool complete = true;
    const state::ChangeSet& changes = outcome.changes;
    for (const state::AccountChange& change : changes.accounts) {
        if (shown + change.slot_count >= kShownKeysMax) {
            complete = false;
            break;
        }
        report.text(shown == 0 ? "\n" : ",\n");
        shown += 1 + change.slot_count;
        report.add(R"({{"address":"{}","key":"{}","before":)",
                   core::to_hex_prefixed(change.address),
                   core::to_hex_prefixed(crypto::keccak256(change.address)));
        report.account(change.before);
        report.text(",\"after\":");
        report.account(change.after);
        report.text(",\"slots\":[");
        bool first = true;
        for (const state::SlotChange& slot : changes.slots_of(change)) {
            report.add(R"({}{{"slot":"{}","before":"{}","after":"{}"}})", first ? "" : ",",
                       hex(slot.slot), hex(slot.before), hex(slot.after));
            first = false;
        }
        report.text("]}");
    }
    report.add("],\n\"accountsComplete\":{},\n\"subtrees\":[", complete);
    const state::TrieRows& rows = outcome.tries.account;
    bool first = true;
    for (size_t i = 0; i < rows.size(); ++i) {
        const state::TrieRows::Row row = rows[i];
        if (row.key.size() > kShownPathNibblesMax) continue;
        report.add(R"({}{{"path":"{}","before":)", first ? "\n" : ",\n", path_text(row.key));
        first = false;
        const auto before = outcome.tries_before.account.find(row.key);
        report.hash_of(before ? before->rlp : std::nullopt);
        report.text(",\"after\":");
        report.hash_of(row.rlp);
        report.text("}");
    }
    report.text("]}\n");
    return report.take();
}

}  // namespace keel::chain
