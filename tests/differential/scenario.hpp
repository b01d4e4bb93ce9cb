#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/types/fork.hpp"
#include "evm/host.hpp"
#include "tests/differential/reference_evm.hpp"

namespace keel::differential {

/// A small world and a few transactions' messages, one block.
struct Scenario {
    struct Account {
        Address address;
        uint64_t nonce = 0;
        U256 balance;
        Bytes code;
        std::vector<std::pair<U256, U256>> storage;  // values are not 0
    };

    core::Fork fork = core::Fork::Osaka;
    evm::BlockContext block;
    U256 gas_price;
    std::vector<Hash32> blob_hashes;
    std::vector<Account> accounts;  // each address once
    // Whose state is compared at the end of every frame; the first ones may have storage.
    std::vector<Address> interesting;
    size_t with_storage = 0;
    std::vector<U256> keys;      // which slots of them are compared
    std::vector<Call> messages;  // of depth 0, one a transaction
    /// How often code is reached before the interpreter translates it; 0: at once.
    uint32_t heat = 0;
};

/// As a seed says; equal seeds give equal scenarios on every machine.
Scenario random_scenario(uint64_t seed);

/// All of it as text, to be read by whoever looks for the cause of a difference.
std::string to_text(const Scenario& scenario);

}  // namespace keel::differential
