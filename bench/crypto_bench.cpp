// How long do hashes, signatures, curves and the other precompiles take, how many gas a second is
// that at the newest fork's prices, and how does it compare with the fastest peer?
//
// usage: keel_crypto_bench [--rounds=N] [part of a row's name ...]
//
// Peers that Debian has (OpenSSL, GMP, libsecp256k1) run in turns with keel's calls; of the others
// (evmone with its own curves, blst, XKCP) the table holds the figures of another run on this kind
// of machine, marked "was". Times are processor time of one core, the least of all rounds: the load
// of others only ever adds to them.

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "bench/crypto_rows.hpp"

namespace keel::bench {
namespace {

constexpr double kRoundNs = 4e6;
constexpr double kLeastMgas = 50;  // no precompile may be slower

double now_ns() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

// Calls in a round: as many as fill it.
struct Subject {
    explicit Subject(const std::function<void()>& function) : call(&function) {
        while (true) {
            const double took = run(calls);
            if (took > kRoundNs / 2 || calls >= 1u << 20) break;
            calls *= 2;
        }
    }
    double run(unsigned times) const {
        const double begin = now_ns();
        for (unsigned i = 0; i < times; ++i) (*call)();
        return now_ns() - begin;
    }
    void measure() { least_ns = std::min(least_ns, run(calls) / calls); }

    const std::function<void()>* call;
    unsigned calls = 1;
    double least_ns = 1e30;
};

std::string time_text(double ns) {
    char text[32];
    if (ns < 1e4)
        std::snprintf(text, sizeof text, "%.1f ns", ns);
    else if (ns < 1e7)
        std::snprintf(text, sizeof text, "%.1f us", ns / 1e3);
    else
        std::snprintf(text, sizeof text, "%.2f ms", ns / 1e6);
    return text;
}

// Whether the row falls short.
bool print(const CryptoRow& row, unsigned rounds) {
    Subject own(row.call);
    std::vector<Subject> peers(row.peers.begin(), row.peers.end());
    for (unsigned i = 0; i < rounds; ++i) {
        own.measure();
        for (Subject& peer : peers) peer.measure();
    }
    const double ns = own.least_ns / row.per_call;
    double peer_ns = row.peer_ns;
    if (!peers.empty()) {
        peer_ns = 1e30;
        for (const Subject& peer : peers) peer_ns = std::min(peer_ns, peer.least_ns / row.per_call);
    }
    char mgas[16] = "", ratio[16] = "", target[16] = "";
    bool is_short = false;
    if (row.gas != 0) {
        const double per_second = row.gas / ns * 1e3;
        std::snprintf(mgas, sizeof mgas, "%.0f", per_second);
        is_short = per_second < kLeastMgas;
    }
    if (peer_ns != 0) std::snprintf(ratio, sizeof ratio, "%.2f", peer_ns / ns);
    if (row.target != 0) {
        std::snprintf(target, sizeof target, "%.2f", row.target);
        // 2 % are noise.
        is_short = is_short || peer_ns / ns < row.target * 0.98;
    }
    const std::string name = (row.peers.empty() && peer_ns != 0 ? "was " : "") + row.peer_name;
    std::printf("%-30s %11s %8s %11s  %-16s %6s %7s %s\n", row.name.c_str(), time_text(ns).c_str(),
                mgas, peer_ns != 0 ? time_text(peer_ns).c_str() : "", name.c_str(), ratio, target,
                is_short                          ? "SHORT"
                : row.target != 0 || row.gas != 0 ? "ok"
                                                  : "");
    std::fflush(stdout);
    return is_short;
}

int run(int count, char** arguments) {
    unsigned rounds = 9;
    std::vector<std::string> parts;
    for (int i = 1; i < count; ++i) {
        if (std::strncmp(arguments[i], "--rounds=", 9) == 0) {
            rounds = static_cast<unsigned>(std::atoi(arguments[i] + 9));
        } else {
            parts.emplace_back(arguments[i]);
        }
    }
    CryptoRows rows;
    add_hash_rows(rows);
    add_signature_rows(rows);
    add_modexp_rows(rows);
    add_bn254_rows(rows);
    add_bls12_rows(rows);
    add_kzg_rows(rows);
    std::printf("%-30s %11s %8s %11s  %-16s %6s %7s\n", "call", "keel", "Mgas/s", "peer", "",
                "times", "target");
    size_t short_rows = 0;
    for (const CryptoRow& row : rows) {
        const auto matches = [&row](const std::string& part) {
            return row.name.find(part) != std::string::npos;
        };
        if (!parts.empty() && std::none_of(parts.begin(), parts.end(), matches)) continue;
        short_rows += print(row, rounds);
    }
    std::printf(
        "\"times\": how many times as fast as the peer. %zu rows fall short of their target or of "
        "%.0f Mgas/s.\n",
        short_rows, kLeastMgas);
    return 0;
}

}  // namespace

core::Bytes random_bytes(size_t size) {
    std::mt19937_64 random(size);
    core::Bytes bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    return bytes;
}

}  // namespace keel::bench

int main(int count, char** arguments) {
    return keel::bench::run(count, arguments);
}
