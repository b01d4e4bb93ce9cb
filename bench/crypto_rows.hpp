#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/bytes.hpp"

namespace keel::bench {

/// A call that is measured, and what it is held against.
struct CryptoRow {
    std::string name;
    std::function<void()> call;
    /// How many results a call gives: times are per result.
    double per_call = 1;
    /// What a result costs at the prices of Osaka; 0: nothing is charged for it alone.
    double gas = 0;
    std::string peer_name = {};  // empty: no peer
    /// Peers of the same run; the fastest counts.
    std::vector<std::function<void()>> peers = {};
    /// Otherwise a figure of another run, in ns per result.
    double peer_ns = 0;
    /// How many times as fast as the peer the call has to be; 0: no target.
    double target = 0;
};
using CryptoRows = std::vector<CryptoRow>;

void add_hash_rows(CryptoRows& rows);
void add_signature_rows(CryptoRows& rows);
void add_modexp_rows(CryptoRows& rows);
void add_bn254_rows(CryptoRows& rows);
void add_bls12_rows(CryptoRows& rows);
void add_kzg_rows(CryptoRows& rows);

core::Bytes random_bytes(size_t size);

/// The compiler believes that somebody reads `value`.
template <class T>
void keep(const T& value) {
    asm volatile("" : : "r"(&value) : "memory");
}

}  // namespace keel::bench
