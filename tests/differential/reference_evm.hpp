#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/types/fork.hpp"
#include "evm/host.hpp"
#include "tests/differential/world.hpp"

namespace keel::differential {

enum class Kind : uint8_t { Call, CallCode, DelegateCall, StaticCall, Create };

/// A message call or a create.
struct Call {
    Kind kind = Kind::Call;
    bool is_static = false;
    int depth = 0;
    int64_t gas = 0;
    Address sender;
    Address recipient;     // for a create the new account
    Address code_address;  // calls only
    Bytes input;
    U256 value;
};

enum class Ending : uint8_t {
    Success,
    Revert,
    Halt,        // all gas is gone
    NotStarted,  // depth, balance or nonce: the gas comes back
};

struct Ended {
    Ending ending = Ending::Success;
    int64_t gas_left = 0;
    Bytes output;
};

/// One activation of code, as the yellow paper's machine state.
struct Machine {
    const Call& call;
    ByteView code;
    std::vector<bool> jump_targets;
    uint64_t pc = 0;
    int64_t gas = 0;
    std::vector<U256> stack;
    Bytes memory;
    Bytes return_data;
    Bytes output;
};

/// The machine that the fast one is compared with: written for clarity from the rules alone, one
/// function an instruction group, prices where they are charged. Shares rules, precompiles and
/// keccak with the machine under test, nothing else.
class ReferenceEvm {
  public:
    /// Told before each instruction and at the end of each call or create, also of those that never
    /// started. Null: nobody.
    std::function<void(const Machine&, uint8_t op)> on_step;
    std::function<void(const Call&, const Ended&)> on_end;

    ReferenceEvm(World& world, const core::ForkRules& rules, const evm::BlockContext& block,
                 const evm::TxContext& tx)
        : world_(world), rules_(rules), block_(block), tx_(tx) {}

    Ended execute(const Call& call);

    // What a transaction does before and after its message, too.
    void touch(const Address& address);
    void transfer(const Address& from, const Address& to, const U256& value);
    /// True: it was cold.
    bool access(const Address& address);
    bool access_slot(const Address& address, const U256& key);

  private:
    Ended message_call(const Call& call);
    Ended create(const Call& call);
    Ended run(const Call& call, ByteView code);
    /// False: the frame has ended well.
    bool step(Machine& m, uint8_t op);

    void compute(Machine& m, uint8_t op);
    void read_environment(Machine& m, uint8_t op);
    void copy_or_inspect(Machine& m, uint8_t op);
    void use_memory(Machine& m, uint8_t op);
    void use_storage(Machine& m, uint8_t op);
    void store(Machine& m);
    void jump(Machine& m, uint8_t op);
    void log(Machine& m, unsigned topics);
    void call(Machine& m, uint8_t op);
    void create_from_code(Machine& m, bool salted);
    void self_destruct(Machine& m);

    int64_t account_price(const Address& address, int64_t frontier, int64_t tangerine,
                          int64_t istanbul);
    bool dead(const Address& address) const;
    bool exists(const Address& address) const;
    bool is_precompile(const Address& address) const;
    ByteView code_of(const Address& address) const;
    U256 balance(const Address& address) const;

    World& world_;
    const core::ForkRules& rules_;
    const evm::BlockContext& block_;
    const evm::TxContext& tx_;
};

}  // namespace keel::differential
