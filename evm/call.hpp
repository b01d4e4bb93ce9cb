#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/types/fork.hpp"
#include "evm/code_cache.hpp"
#include "evm/gas.hpp"
#include "evm/host.hpp"
#include "evm/keccak_cache.hpp"
#include "evm/memory.hpp"
#include "evm/message.hpp"
#include "evm/moduli.hpp"
#include "evm/precompiles/table.hpp"
#include "evm/tracer.hpp"

namespace keel::evm {

/// keccak(rlp([sender, nonce]))[12:]; `nonce` is the one before the create.
core::Address create_address(const core::Address& sender, uint64_t nonce);
/// EIP-1014.
core::Address create2_address(const core::Address& sender, const core::U256& salt,
                              core::ByteView init_code);
/// The account that code is delegated to (EIP-7702); none if it is not a designator.
std::optional<core::Address> delegate_of(core::ByteView code) noexcept;

/// Precompiles that stand elsewhere than the rules have them; null at an address: none is there.
using PrecompileOverrides = std::map<core::Address, const Precompile*>;

/// Thrown out of an execution whose time is over (Workspace::set_deadline_ms). The state is as far
/// as it came: the host must be begun anew.
struct TimeOver : std::exception {
    const char* what() const noexcept override { return "the time of an execution is over"; }
};

/// Memory that the frames of one thread share: stacks, memories, what is known of codes. It is kept
/// from transaction to transaction.
class Workspace {
  public:
    Workspace();
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;

    /// What one depth owns.
    struct Slot {
        Memory memory;
        core::Bytes precompile_output;
    };
    Slot& slot(int32_t depth);
    core::U256* stack() noexcept { return stack_.get(); }
    CodeCache& codes() noexcept { return codes_; }
    Moduli& moduli() noexcept { return moduli_; }
    KeccakCache& keccaks() noexcept { return keccaks_; }
    /// How often a point of code is reached before it is translated (blocks.hpp); tests of
    /// translated code set it to 0.
    uint32_t heat_before_translation() const noexcept { return heat_before_translation_; }
    void set_heat_before_translation(uint32_t heat) noexcept { heat_before_translation_ = heat; }
    /// The table of these rules, made anew only when they are others than last time.
    const OpTable& op_table(const core::ForkRules& rules) noexcept;
    /// Watches all that executes in this workspace from the next transaction on; null for none.
    /// lifetime: outlives its use here.
    void set_tracer(Tracer* tracer) noexcept { tracer_ = tracer; }
    Tracer* tracer() const noexcept { return tracer_; }
    /// For callers that ask how it would be (eth_simulateV1); null: as the rules have it. lifetime:
    /// outlives its use here.
    void set_precompile_overrides(const PrecompileOverrides* overrides) noexcept {
        precompile_overrides_ = overrides;
    }
    const PrecompileOverrides* precompile_overrides() const noexcept {
        return precompile_overrides_;
    }
    /// Ends transactions that begin from now on with TimeOver when core::monotonic_coarse_ms() has
    /// come to this; UINT64_MAX: never. The clock is looked at before calls and, at jumps, once for
    /// every kGasBetweenLooks.
    void set_deadline_ms(uint64_t deadline_ms) noexcept { deadline_ms_ = deadline_ms; }
    uint64_t deadline_ms() const noexcept { return deadline_ms_; }

  private:
    struct Unmap {
        void operator()(core::U256* words) const noexcept;
    };
    std::unique_ptr<core::U256, Unmap> stack_;  // kStackWords for each depth; pages come when used
    std::vector<std::unique_ptr<Slot>> slots_;  // by depth
    CodeCache codes_;
    Moduli moduli_;
    KeccakCache keccaks_;
    uint32_t heat_before_translation_;
    core::ForkRules op_table_rules_;
    OpTable op_table_;
    Tracer* tracer_ = nullptr;
    const PrecompileOverrides* precompile_overrides_ = nullptr;
    uint64_t deadline_ms_ = UINT64_MAX;
};

/// Executes messages of one transaction. The caller has paid the intrinsic gas, increased the
/// nonce of the sender and applied authorizations; for a create it has computed the address.
class Evm {
  public:
    Evm(Workspace& workspace, Host& host, const core::ForkRules& rules, const BlockContext& block,
        const TxContext& tx);

    /// A call or a create of depth 0, with revert of the state on failure.
    CallResult execute(const Message& message) { return run_message(message, workspace.stack()); }

    // What frames use.
    /// `stack` is the first word that is free.
    CallResult run_message(const Message& message, core::U256* stack);

    Workspace& workspace;
    Host& host;
    const core::ForkRules& rules;
    const BlockContext& block;
    const TxContext& tx;
    const OpTable& op_table;
    Tracer* const tracer;        // null: nobody watches
    const uint64_t deadline_ms;  // UINT64_MAX: none

    bool has_deadline() const noexcept { return deadline_ms != UINT64_MAX; }
    /// Throws TimeOver.
    void look_at_clock() const;

  private:
    CallResult start(const Message& message, core::U256* stack);
    CallResult call(const Message& message, core::U256* stack);
    CallResult create(const Message& message, core::U256* stack);
    CallResult run_code(const Message& message, core::U256* stack);
    CallResult call_precompile(const Message& message, bool& is_precompile);
    const Precompile* precompile_at(const core::Address& address) const;
    Status deposit_code(const Message& message, CallResult& result);
};

}  // namespace keel::evm
