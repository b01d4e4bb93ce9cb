// debug_accountRange and debug_dumpBlock: the accounts of a state. Shape: geth's state.Dump.
//
// Accounts come in the order of their addresses, which is how they are stored (geth: of their
// hashes); `next` is where the following page begins.

#include <algorithm>
#include <set>

#include "chain/chain.hpp"
#include "core/clock.hpp"
#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "rpc/debug/counts.hpp"
#include "rpc/eth/objects.hpp"
#include "rpc/methods.hpp"
#include "state/codecs.hpp"
#include "state/state_root.hpp"

namespace keel::rpc::debug {
namespace {

constexpr uint64_t kAccountsMax = 256;  // geth: of an answer

struct Wanted {
    core::Address first;
    uint64_t count_max = kAccountsMax;
    bool code = true;
    bool storage = true;
};

/// Accounts of a block's state, from the newest state and what has changed since.
class Accounts {
  public:
    Accounts(Snapshot& snapshot, const chain::BlockId& id)
        : cursor_(snapshot.txn().cursor(snapshot.tables().account)),
          is_newest_(id == snapshot.head()) {
        if (is_newest_) return;
        changes_ = chain::changes_back_to(snapshot.txn(), snapshot.tables(), id.number);
        state::NewestTries tries(snapshot.txn(), snapshot.tables());
        state::resolve_state_root(tries, changes_, nullptr);
        next_change_ = changes_.accounts.begin();
    }

    void begin_at(const core::Address& first) {
        row_ = cursor_.seek(first);
        if (is_newest_) return;
        next_change_ =
            std::ranges::lower_bound(changes_.accounts, first, {}, &state::AccountChange::address);
    }
    /// Ascending; none: there are no more.
    std::optional<std::pair<core::Address, core::Account>> next() {
        for (;;) {
            const bool has_change = !is_newest_ && next_change_ != changes_.accounts.end();
            if (!row_ && !has_change) return std::nullopt;
            const auto stored = row_ ? core::Address(row_->key) : core::Address{};
            if (has_change && (!row_ || next_change_->address <= stored)) {
                const state::AccountChange& change = *next_change_++;
                if (row_ && change.address == stored) row_ = cursor_.next();
                if (!change.after) continue;  // it was not there
                return std::pair{change.address, *change.after};
            }
            const core::Account account = state::decode_slim_account(row_->value);
            row_ = cursor_.next();
            return std::pair{stored, account};
        }
    }

  private:
    db::ReadCursor cursor_;
    db::Hit row_;
    const bool is_newest_;
    state::ChangeSet changes_;
    std::vector<state::AccountChange>::const_iterator next_change_;
};

/// Without prefix and leading zero bytes.
std::string bare_value(const core::U256& value) {
    const auto bytes = value.to_be32();
    const size_t zeros = 32 - (value.bit_length() + 7) / 8;
    return core::to_hex(core::ByteView(bytes).sub(zeros));
}

void write_account(JsonOut& out, state::StateReader& state, const core::Address& address,
                   const core::Account& account, const Wanted& wanted) {
    out.key(eth::with_checksum(address));
    out.begin_object();
    out.key("balance");
    out.string(account.balance.to_decimal());
    out.key("nonce");
    out.number(account.nonce);
    out.data("root", account.storage_root);
    out.data("codeHash", account.code_hash);
    if (wanted.code && account.code_hash != core::kEmptyCodeHash) {
        out.data("code", state.code(account.code_hash).value_or(core::ByteView{}));
    }
    if (wanted.storage && account.storage_root != core::kEmptyTrieRoot) {
        out.key("storage");
        out.begin_object();
        state.each_slot(address, [&out](const core::U256& slot, const core::U256& value) {
            out.key(core::to_hex_prefixed(core::ByteView(slot.to_be32())));
            out.string(bare_value(value));
        });
        out.end_object();
    }
    out.data("address", address);
    out.data("key", crypto::keccak256(address));
    out.end_object();
}

Answer<void> write_dump(Call& call, const chain::BlockId& id, const Wanted& wanted) {
    const auto state = call.snapshot().state(id);
    if (!state) return core::unexpected(state.error());
    Accounts accounts(call.snapshot(), id);
    accounts.begin_at(wanted.first);
    JsonOut& out = call.out;
    out.begin_object();
    out.key("root");
    out.string(core::to_hex(call.snapshot().header(id).state_root));
    out.key("accounts");
    out.begin_object();
    auto account = accounts.next();
    for (uint64_t written = 0; account && written < wanted.count_max; ++written) {
        if (core::monotonic_coarse_ms() >= call.deadline_ms) {
            return fail(Code::TimedOut,
                        "request timed out: ask for fewer accounts at once, or "
                        "without their storage");
        }
        write_account(out, **state, account->first, account->second, wanted);
        account = accounts.next();
    }
    out.end_object();
    if (account) out.data("next", account->first);
    out.end_object();
    return {};
}

/// The first 20 bytes; fewer stand for the first address that begins so.
Converted<core::Address> to_first_address(JsonValue value) {
    const auto bytes = to_bytes(value);
    if (!bytes) return core::unexpected(bytes.error());
    core::Address first;
    std::copy_n(bytes->begin(), std::min(bytes->size(), first.bytes.size()), first.bytes.begin());
    return first;
}

}  // namespace

Answer<void> account_range(Call& call) {
    Args args(call.params, 6);
    const BlockSelector selector = args.block(0);
    Wanted wanted;
    wanted.first = args.optional(1, to_first_address).value_or(core::Address{});
    const uint64_t count_max = args.optional(2, to_count).value_or(kAccountsMax);
    wanted.code = !args.optional(3, to_bool).value_or(false);
    wanted.storage = !args.optional(4, to_bool).value_or(false);
    // Accounts whose address is not known: there are none here.
    static_cast<void>(args.optional(5, to_bool));
    if (!args.ok()) return args.error();
    // geth: 0 is as many as there may be.
    wanted.count_max = count_max == 0 ? kAccountsMax : std::min(count_max, kAccountsMax);
    const auto id = call.snapshot().require(selector);
    if (!id) return core::unexpected(id.error());
    return write_dump(call, *id, wanted);
}

Answer<void> dump_block(Call& call) {
    Args args(call.params, 1);
    const BlockSelector selector = args.block(0);
    if (!args.ok()) return args.error();
    const auto id = call.snapshot().require(selector);
    if (!id) return core::unexpected(id.error());
    return write_dump(call, *id, {.first = {}});
}

}  // namespace keel::rpc::debug
