#include "bench/crypto_rows.hpp"
#include "core/hex.hpp"
#include "crypto/bls12_381/bls12_381.hpp"
#include "crypto/bls12_381/encoding.hpp"
#include "crypto/bls12_381/msm.hpp"
#include "crypto/bls12_381/pairing.hpp"
#include "crypto/bn254/bn254.hpp"
#include "crypto/bn254/point.hpp"
#include "crypto/keccak.hpp"
#include "crypto/kzg.hpp"

namespace keel::bench {
namespace {

using core::Bytes;
using core::ByteView;
using core::U256;
namespace bls = crypto::bls12_381;

// --- bn254 ---

// Generators of EIP-196 and EIP-197.
const char* const kG1 =
    "0x0000000000000000000000000000000000000000000000000000000000000001"
    "0000000000000000000000000000000000000000000000000000000000000002";
const char* const kG2 =
    "0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";

Bytes multiple_of_g1(uint64_t factor) {
    Bytes input = *core::from_hex(kG1);
    core::append(input, crypto::keccak256(U256(factor).to_be32()));
    Bytes out(64);
    crypto::bn254_mul(input, out.data());
    return out;
}

// --- BLS12-381 ---

void append_bls(Bytes& to, const bls::Fp& a) {
    to.resize(to.size() + 16);
    to.resize(to.size() + bls::kFpBytes);
    bls::store_fp(a, to.data() + to.size() - bls::kFpBytes);
}
void append_bls(Bytes& to, const bls::Fp2& a) {
    append_bls(to, a.c0);
    append_bls(to, a.c1);
}

// Inputs of a number of different points of one group, each with a scalar behind it or not.
template <class F>
Bytes bls_points(size_t count, const bls::Affine<F>& generator, bool with_scalars) {
    Bytes input;
    for (size_t i = 0; i < count; ++i) {
        const U256 scalar = U256::load_be32(crypto::keccak256(U256(i).to_be32()).data());
        const auto p =
            to_affine(bls::multiply_sum(std::span(&generator, 1), std::span(&scalar, 1)));
        append_bls(input, p.x);
        append_bls(input, p.y);
        if (with_scalars) core::append(input, crypto::keccak256(scalar.to_be32()));
    }
    return input;
}

template <class Function>
auto call_of(Function function, Bytes input) {
    return [function, input = std::move(input)] {
        uint8_t out[256];
        function(input, out);
        keep(out);
    };
}

double msm_gas(size_t count, double price, double discount_permille) {
    return static_cast<double>(count) * price * discount_permille / 1000;
}

Bytes bls_pairs(size_t count) {
    const Bytes g1 = bls_points(count, bls::kGenerator1, false);
    const Bytes g2 = bls_points(count, bls::kGenerator2, false);
    Bytes input;
    for (size_t i = 0; i < count; ++i) {
        core::append(input, ByteView(g1).sub(128 * i, 128));
        core::append(input, ByteView(g2).sub(256 * i, 256));
    }
    return input;
}

void add_bls12_steps(CryptoRows& rows) {
    rows.push_back({.name = "step: bls12 product", .call = [a = bls::kGenerator1.x]() mutable {
                        multiply(a, a, bls::kGenerator1.y);
                        keep(a);
                    }});
    rows.push_back({.name = "step: bls12 inverse", .call = [a = bls::kGenerator1.x]() mutable {
                        a = a.inverse();
                        keep(a);
                    }});
    rows.push_back(
        {.name = "step: bls12 product of Fp2", .call = [a = bls::kGenerator2.x]() mutable {
             a = a * bls::kGenerator2.y;
             keep(a);
         }});
    rows.push_back({.name = "step: order of a G1 point",
                    .call = [] { keep(bls::in_subgroup(bls::kGenerator1)); }});
    rows.push_back({.name = "step: order of a G2 point",
                    .call = [] { keep(bls::in_subgroup(bls::kGenerator2)); }});
    const bls::Pair pair{bls::kGenerator1, bls::kGenerator2};
    rows.push_back({.name = "step: bls12 Miller loop",
                    .call = [pair] { keep(bls::miller_loop(std::span(&pair, 1))); }});
    const bls::Fp12 f = bls::miller_loop(std::span(&pair, 1));
    rows.push_back({.name = "step: bls12 final exponent",
                    .call = [f] { keep(bls::final_exponentiation(f)); }});
}

}  // namespace

void add_bn254_rows(CryptoRows& rows) {
    Bytes two = multiple_of_g1(1);
    core::append(two, multiple_of_g1(2));
    rows.push_back({.name = "bn254 add",
                    .call = call_of(crypto::bn254_add, two),
                    .gas = 150,
                    .peer_name = "evmone",
                    .peer_ns = 1968,
                    .target = 1.5});
    Bytes product = multiple_of_g1(1);
    core::append(product, U256::max().to_be32());
    rows.push_back({.name = "bn254 mul",
                    .call = call_of(crypto::bn254_mul, product),
                    .gas = 6000,
                    .peer_name = "evmone",
                    .peer_ns = 260'400,
                    .target = 260.4 / 50});
    struct Pairing {
        size_t pairs;
        double evmone_ns;
    };
    for (const Pairing& pairing :
         {Pairing{1, 1.82e6}, Pairing{2, 2.68e6}, Pairing{4, 4.54e6}, Pairing{6, 6.52e6}}) {
        Bytes input;
        for (size_t i = 0; i < pairing.pairs; ++i) {
            core::append(input, multiple_of_g1(i));
            core::append(input, *core::from_hex(kG2));
        }
        rows.push_back({.name = "bn254 pairing " + std::to_string(pairing.pairs),
                        .call = [input] { keep(crypto::bn254_pairing(input)); },
                        .gas = 45'000 + 34'000 * static_cast<double>(pairing.pairs),
                        .peer_name = "evmone",
                        .peer_ns = pairing.evmone_ns,
                        .target = 3});
    }
    using crypto::bn254::Fp;
    rows.push_back(
        {.name = "step: bn254 product", .call = [a = Fp::of(U256(3, 4, 5, 6))]() mutable {
             multiply(a, a, crypto::bn254::kTwistB.c0);
             keep(a);
         }});
    rows.push_back(
        {.name = "step: bn254 inverse", .call = [a = Fp::of(U256(3, 4, 5, 6))]() mutable {
             a = a.inverse();
             keep(a);
         }});
}

void add_bls12_rows(CryptoRows& rows) {
    // Figures of evmone's calls into blst; targets as times of that.
    constexpr double kTarget = 1 / 1.2, kPairingTarget = 1 / 1.3;
    const auto add = [&rows](std::string name, std::function<void()> call, double gas,
                             double blst_ns, double target) {
        rows.push_back({.name = std::move(name),
                        .call = std::move(call),
                        .gas = gas,
                        .peer_name = blst_ns != 0 ? "blst" : "",
                        .peer_ns = blst_ns,
                        .target = target});
    };
    add("bls12 g1add", call_of(crypto::bls12_g1_add, bls_points(2, bls::kGenerator1, false)), 375,
        3906, kTarget);
    add("bls12 g2add", call_of(crypto::bls12_g2_add, bls_points(2, bls::kGenerator2, false)), 600,
        5760, kTarget);
    // The discounts of EIP-2537 for so many pairs.
    struct Sum {
        size_t pairs;
        double discount1, discount2, blst1_ns, blst2_ns;
    };
    const Sum sums[] = {{1, 1000, 1000, 0.180e6, 0.347e6},
                        {16, 682, 717, 1.54e6, 2.51e6},
                        {128, 519, 524, 9.23e6, 15.0e6},
                        {1024, 519, 524, 0, 0}};
    for (const Sum& sum : sums) {
        add("bls12 g1msm " + std::to_string(sum.pairs),
            call_of(crypto::bls12_g1_msm, bls_points(sum.pairs, bls::kGenerator1, true)),
            msm_gas(sum.pairs, 12'000, sum.discount1), sum.blst1_ns,
            sum.blst1_ns != 0 ? kTarget : 0);
    }
    for (const Sum& sum : sums) {
        add("bls12 g2msm " + std::to_string(sum.pairs),
            call_of(crypto::bls12_g2_msm, bls_points(sum.pairs, bls::kGenerator2, true)),
            msm_gas(sum.pairs, 22'500, sum.discount2), sum.blst2_ns,
            sum.blst2_ns != 0 ? kTarget : 0);
    }
    struct Pairing {
        size_t pairs;
        double blst_ns;
    };
    for (const Pairing& pairing :
         {Pairing{1, 0.720e6}, Pairing{2, 1.09e6}, Pairing{4, 1.84e6}, Pairing{8, 0}}) {
        add(
            "bls12 pairing " + std::to_string(pairing.pairs),
            [input = bls_pairs(pairing.pairs)] { keep(crypto::bls12_pairing(input)); },
            37'700 + 32'600 * static_cast<double>(pairing.pairs), pairing.blst_ns,
            pairing.blst_ns != 0 ? kPairingTarget : 0);
    }
    Bytes element, element2;
    append_bls(element, bls::kGenerator1.x);
    append_bls(element2, bls::kGenerator2.x);
    add("bls12 map fp", call_of(crypto::bls12_map_to_g1, element), 5500, 48'300, kPairingTarget);
    add("bls12 map fp2", call_of(crypto::bls12_map_to_g2, element2), 23'800, 162'000,
        kPairingTarget);
    add_bls12_steps(rows);
}

void add_kzg_rows(CryptoRows& rows) {
    // A proof that does not hold costs the same as one that does.
    Bytes generator(bls::kFpBytes);
    bls::compress(bls::kGenerator1, generator.data());
    rows.push_back({.name = "kzg point evaluation",
                    .call =
                        [generator, z = Bytes(32, 0x5a), y = Bytes(32, 0x3c)] {
                            keep(crypto::verify_kzg_proof(generator, z, y, generator));
                        },
                    .gas = 50'000,
                    .peer_name = "evmone, blst",
                    .peer_ns = 1.52e6,
                    .target = 1.6});
    Bytes blob = random_bytes(crypto::kBlobBytes);
    for (size_t i = 0; i < blob.size(); i += 32) blob[i] = 0;
    rows.push_back(
        {.name = "kzg commitment", .call = [blob] { keep(crypto::kzg_commitment(blob)); }});
    rows.push_back({.name = "kzg proof of a blob",
                    .call = [blob, generator] { keep(crypto::blob_kzg_proof(blob, generator)); }});
    rows.push_back({.name = "kzg check of a blob", .call = [blob, generator] {
                        keep(crypto::verify_blob_kzg_proof(blob, generator, generator));
                    }});

    rows.push_back({.name = "kzg check of 6 blobs", .call = [blob, generator] {
                        const std::vector<ByteView> blobs(6, blob), points(6, generator);
                        keep(crypto::verify_blob_kzg_proof_batch(blobs, points, points));
                    }});
    rows.push_back({.name = "kzg cells", .call = [blob] { keep(crypto::kzg_cells(blob)); }});
    rows.push_back({.name = "kzg cells and proofs",
                    .call = [blob] { keep(crypto::kzg_cells_and_proofs(blob)); }});
    rows.push_back({.name = "kzg check of 128 cells", .call = [blob, generator] {
                        const std::vector<ByteView> points(crypto::kCellsPerBlob, generator);
                        std::vector<ByteView> cells;
                        std::vector<uint64_t> indices;
                        for (uint64_t i = 0; i < crypto::kCellsPerBlob; ++i) {
                            indices.push_back(i);
                            cells.push_back(ByteView(blob).sub(i % 64 * crypto::kCellBytes,
                                                               crypto::kCellBytes));
                        }
                        keep(crypto::verify_cell_kzg_proof_batch(points, indices, cells, points));
                    }});
    rows.push_back({.name = "kzg recovery of half", .call = [blob] {
                        std::vector<ByteView> cells;
                        std::vector<uint64_t> indices;
                        for (uint64_t i = 0; i < crypto::kCellsPerBlob / 2; ++i) {
                            indices.push_back(2 * i);
                            cells.push_back(
                                ByteView(blob).sub(i * crypto::kCellBytes, crypto::kCellBytes));
                        }
                        keep(crypto::recover_kzg_cells_and_proofs(indices, cells));
                    }});
}

}  // namespace keel::bench
