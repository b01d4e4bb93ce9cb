#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "core/types/address.hpp"
#include "core/types/fork.hpp"
#include "core/u256.hpp"

namespace keel::testdata {

// Contracts that stand in the genesis; each takes its orders from the call data.

/// Log of all data with as many topics as the first word says (0 to 4).
core::Bytes logger_code();
/// Pairs (slot, value): stores each.
core::Bytes store_code();
/// Address, input: calls it with the input and stores whether it succeeded, and the hash of the
/// first 256 bytes that it returned, in two fresh slots.
core::Bytes caller_code();
/// Salt, init code: CREATE for salt 0, else CREATE2. Stores the address in a fresh slot.
core::Bytes factory_code();
/// Address: destroys itself in favour of it.
core::Bytes destroyer_code();
/// Stores, then reverts with 32 bytes.
core::Bytes reverter_code();
/// Runs until the gas is gone.
core::Bytes spinner_code();
/// Log of all data with the topic of a deposit: what the deposit contract does, without its checks
/// and its tree (EIP-6110).
core::Bytes deposit_code();

/// Init code that stores what each opcode without side effects gives under these rules, and leaves
/// a contract of one byte.
core::Bytes probe_init_code(const core::ForkRules& rules, const core::Address& other);

/// Words of call data, one after the other.
core::Bytes words(const std::vector<core::U256>& values);
/// A first word and bytes behind it.
core::Bytes word_then(const core::U256& word, core::ByteView bytes);
core::U256 word_of(const core::Address& address);

/// Data of a deposit log (EIP-6110): offsets, then five fields, each filled with its own byte.
core::Bytes deposit_data(uint8_t seed, uint64_t amount_gwei);

/// Code of the contracts that the protocol calls, as the EIPs give it.
core::Bytes beacon_roots_code();            // EIP-4788
core::Bytes block_hashes_code();            // EIP-2935
core::Bytes withdrawal_requests_code();     // EIP-7002
core::Bytes consolidation_requests_code();  // EIP-7251

core::Address address_of_hex(std::string_view digits);

}  // namespace keel::testdata
