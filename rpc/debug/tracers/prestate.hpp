#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "rpc/debug/tracers/named_tracer.hpp"

namespace keel::rpc::debug {

struct PrestateOptions {
    bool diff_mode = false;
    bool with_code = true;
    bool with_storage = true;
    bool with_empty = false;  // accounts that were absent or empty
};

/// prestateTracer: the accounts that a transaction touches, as they were before it; in diff mode
/// what it changes, before and after.
class PrestateTracer final : public NamedTracer {
  public:
    PrestateTracer(const TracedTx& traced, const PrestateOptions& options);

    void enter(const evm::Message& message) override;
    void step(const evm::Step& step) override;
    void charged(int64_t gas_left) override;
    void fault(evm::Status status) override;
    void write(JsonOut& out, const chain::TxOutcome& outcome) override;

  private:
    struct Account {
        std::optional<core::U256> balance;
        std::optional<uint64_t> nonce;
        std::optional<core::Bytes> code;
        std::optional<core::Hash32> code_hash;
        std::map<core::U256, core::U256> storage;
        bool empty = false;
    };
    using Accounts = std::map<core::Address, Account>;

    Account read(const core::Address& address) const;
    void look_up(const core::Address& address);
    void look_up_delegate(const core::Address& address);
    void commit();
    /// What of it is different now; none: nothing, and its slots are left as they were.
    std::optional<Account> difference(const core::Address& address, Account& before) const;
    Accounts take_differences();
    static void write_accounts(JsonOut& out, const Accounts& accounts);

    const PrestateOptions options_;
    Accounts before_;
    std::set<core::Address> destructed_;
    // The step that is not charged yet, as far as it matters here.
    uint8_t op_ = 0;
    core::Address self_;
    core::U256 operand_;
    core::U256 value_;           // of the slot, before
    std::optional<Account> to_;  // of a SELFDESTRUCT, before it
};
Answer<TracerFactory> find_prestate_tracer(std::optional<JsonValue> config);

}  // namespace keel::rpc::debug
