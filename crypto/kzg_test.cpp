#include "crypto/kzg.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <thread>

#include "core/hex.hpp"
#include "crypto/kzg/check.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::crypto {
namespace {

using core::Bytes;
using core::ByteView;
using core::U256;
using kzg::Fr;

// --- The published vectors ---

// A case: `input:` with members of one value or a list, `output:` with a value, a list or lists.
// Values are taken one after another, whatever the form of the list.
class Case {
  public:
    explicit Case(const std::filesystem::path& path) {
        std::ifstream stream(path);
        std::string member;
        for (std::string line; std::getline(stream, line);) {
            // Only names of members have a colon.
            if (const size_t colon = line.find(':'); colon != std::string::npos) {
                member = line.substr(0, colon);
                member.erase(0, member.find_first_not_of(" -"));
                members_[member];
                line.erase(0, colon + 1);
            }
            for (char& c : line) {
                if (c == '[' || c == ']' || c == ',' || c == '\'' || c == '"' || c == '-') c = ' ';
            }
            std::istringstream words(line);
            for (std::string word; words >> word;) members_[member].push_back(word);
        }
    }

    const std::vector<std::string>& words(const std::string& name) const {
        return members_.at(name);
    }
    std::vector<Bytes> list(const std::string& name) const {
        std::vector<Bytes> values;
        for (const std::string& word : words(name)) {
            const auto bytes = core::from_hex(word);
            EXPECT_TRUE(bytes) << name;
            values.push_back(bytes.value_or(Bytes{}));
        }
        return values;
    }
    Bytes bytes(const std::string& name) const { return list(name).at(0); }
    std::vector<uint64_t> numbers(const std::string& name) const {
        std::vector<uint64_t> values;
        for (const std::string& word : words(name)) values.push_back(std::stoull(word));
        return values;
    }

  private:
    std::map<std::string, std::vector<std::string>> members_;
};

std::vector<ByteView> views(const std::vector<Bytes>& list) {
    return {list.begin(), list.end()};
}

using Words = std::vector<std::string>;

std::string hex(ByteView bytes) {
    return "0x" + core::to_hex(bytes);
}
Words words(const std::optional<bool>& result) {
    return {!result ? "null" : *result ? "true" : "false"};
}
Words words(const std::optional<KzgPoint>& result) {
    return {result ? hex(*result) : "null"};
}
void append_cells(Words& out, ByteView cells) {
    for (size_t i = 0; i < kCellsPerBlob; ++i) {
        out.push_back(hex(cells.sub(i * kCellBytes, kCellBytes)));
    }
}
Words words(const std::optional<KzgCells>& result) {
    if (!result) return {"null"};
    Words out;
    append_cells(out, result->cells);
    for (const KzgPoint& proof : result->proofs) out.push_back(hex(proof));
    return out;
}

Words run(const std::string& function, const Case& c) {
    if (function == "blob_to_kzg_commitment") return words(kzg_commitment(c.bytes("blob")));
    if (function == "compute_kzg_proof") {
        const auto result = kzg_proof(c.bytes("blob"), c.bytes("z"));
        return result ? Words{hex(result->proof), hex(result->y)} : Words{"null"};
    }
    if (function == "compute_blob_kzg_proof") {
        return words(blob_kzg_proof(c.bytes("blob"), c.bytes("commitment")));
    }
    if (function == "verify_kzg_proof") {
        return words(
            verify_kzg_proof(c.bytes("commitment"), c.bytes("z"), c.bytes("y"), c.bytes("proof")));
    }
    if (function == "verify_blob_kzg_proof") {
        return words(
            verify_blob_kzg_proof(c.bytes("blob"), c.bytes("commitment"), c.bytes("proof")));
    }
    if (function == "verify_blob_kzg_proof_batch") {
        const auto blobs = c.list("blobs"), commitments = c.list("commitments");
        const auto proofs = c.list("proofs");
        return words(verify_blob_kzg_proof_batch(views(blobs), views(commitments), views(proofs)));
    }
    if (function == "compute_cells") {
        const auto result = kzg_cells(c.bytes("blob"));
        if (!result) return {"null"};
        Words out;
        append_cells(out, *result);
        return out;
    }
    if (function == "compute_cells_and_kzg_proofs") {
        return words(kzg_cells_and_proofs(c.bytes("blob")));
    }
    if (function == "recover_cells_and_kzg_proofs") {
        const auto cells = c.list("cells");
        return words(recover_kzg_cells_and_proofs(c.numbers("cell_indices"), views(cells)));
    }
    if (function == "verify_cell_kzg_proof_batch") {
        const auto commitments = c.list("commitments"), cells = c.list("cells");
        const auto proofs = c.list("proofs");
        return words(verify_cell_kzg_proof_batch(views(commitments), c.numbers("cell_indices"),
                                                 views(cells), views(proofs)));
    }
    if (function == "compute_challenge") {
        return {hex(kzg_challenge(c.bytes("blob"), c.bytes("commitment")))};
    }
    if (function == "compute_verify_cell_kzg_proof_batch_challenge") {
        const auto commitments = c.list("commitments"), proofs = c.list("proofs");
        std::vector<Bytes> cells;
        const auto elements = c.list("cosets_evals");  // one after another
        for (size_t i = 0; i < elements.size(); ++i) {
            if (i % kCellElements == 0) cells.emplace_back();
            core::append(cells.back(), elements[i]);
        }
        return {hex(kzg_cells_challenge(views(commitments), c.numbers("commitment_indices"),
                                        c.numbers("cell_indices"), views(cells), views(proofs)))};
    }
    ADD_FAILURE() << "unknown function " << function;
    return {};
}

// Functions and their numbers of cases.
const std::map<std::string, size_t> kFunctions = {
    {"blob_to_kzg_commitment", 11},
    {"compute_blob_kzg_proof", 15},
    {"compute_cells", 11},
    {"compute_cells_and_kzg_proofs", 11},
    {"compute_challenge", 9},
    {"compute_kzg_proof", 52},
    {"compute_verify_cell_kzg_proof_batch_challenge", 10},
    {"recover_cells_and_kzg_proofs", 18},
    {"verify_blob_kzg_proof", 29},
    {"verify_blob_kzg_proof_batch", 24},
    {"verify_cell_kzg_proof_batch", 32},
    {"verify_kzg_proof", 122}};

class KzgVectors : public testing::TestWithParam<std::string> {};

TEST_P(KzgVectors, every_case_gives_its_output) {
    const auto set = tests::fixture_set("kzg");
    if (!set) GTEST_SKIP() << "no fixtures: set KEEL_FIXTURES, or run make conformance";
    size_t count = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(*set / "tests" / GetParam() / "kzg-mainnet")) {
        SCOPED_TRACE(entry.path().filename().string());
        const Case c(entry.path() / "data.yaml");
        EXPECT_TRUE(run(GetParam(), c) == c.words("output"));
        ++count;
    }
    EXPECT_EQ(count, kFunctions.at(GetParam()));
    RecordProperty("vectors", static_cast<int>(count));
}

Words function_names() {
    Words names;
    for (const auto& [name, count] : kFunctions) names.push_back(name);
    return names;
}
INSTANTIATE_TEST_SUITE_P(Mainnet, KzgVectors, testing::ValuesIn(function_names()),
                         [](const auto& parameter) { return parameter.param; });

// --- Properties ---

Bytes random_blob(uint64_t seed) {
    std::mt19937_64 random(seed);
    Bytes blob(kBlobBytes);
    for (size_t i = 0; i < kBlobElements; ++i) {
        (U256(random(), random(), random(), random()) % bls12_381::kOrder)
            .store_be32(blob.data() + 32 * i);
    }
    return blob;
}

TEST(Kzg, a_constant_polynomial_has_its_value_everywhere) {
    // The polynomial 0: commitment and proof at infinity.
    Bytes infinity(48);
    infinity[0] = 0xc0;
    const Bytes zero(32);
    Bytes one(32);
    one[31] = 1;
    EXPECT_EQ(verify_kzg_proof(infinity, one, zero, infinity), true);
    EXPECT_EQ(verify_kzg_proof(infinity, one, one, infinity), false);
    // The polynomial 1: the generator of G1.
    const Bytes generator = *core::from_hex(
        "0x97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00a"
        "db22c6bb");
    EXPECT_EQ(verify_kzg_proof(generator, zero, one, infinity), true);
    EXPECT_EQ(verify_kzg_proof(generator, one, one, infinity), true);
    EXPECT_EQ(verify_kzg_proof(generator, one, zero, infinity), false);
    EXPECT_EQ(verify_kzg_proof(ByteView(generator).sub(1), one, one, infinity), std::nullopt);
    EXPECT_EQ(verify_kzg_proof(generator, Bytes(32, 0xff), one, infinity), std::nullopt);
    Bytes ones;
    for (size_t i = 0; i < kBlobElements; ++i) core::append(ones, one);
    const auto commitment = kzg_commitment(ones);
    ASSERT_TRUE(commitment);
    EXPECT_EQ(hex(*commitment), hex(generator));
}

TEST(Kzg, versioned_hash) {
    Bytes infinity(48);
    infinity[0] = 0xc0;
    EXPECT_EQ(core::to_hex(kzg_versioned_hash(infinity)),
              "010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014");
}

TEST(Kzg, what_is_proved_is_verified_and_nothing_else_is) {
    const Bytes blob = random_blob(1);
    const auto commitment = kzg_commitment(blob);
    const auto proof = blob_kzg_proof(blob, *commitment);
    EXPECT_EQ(verify_blob_kzg_proof(blob, *commitment, *proof), true);
    Bytes other = blob;
    other[31] ^= 1;
    EXPECT_EQ(verify_blob_kzg_proof(other, *commitment, *proof), false);
    EXPECT_EQ(verify_blob_kzg_proof(blob, *proof, *commitment), false);

    const Bytes z = Bytes(blob.begin(), blob.begin() + 32);
    const auto at = kzg_proof(blob, z);
    EXPECT_EQ(verify_kzg_proof(*commitment, z, at->y, at->proof), true);
    EXPECT_EQ(verify_kzg_proof(*commitment, at->y, at->y, at->proof), false);

    const std::vector<ByteView> blobs = {blob, blob};
    const std::vector<ByteView> commitments = {*commitment, *commitment};
    const std::vector<ByteView> good = {*proof, *proof}, bad = {*proof, at->proof};
    EXPECT_EQ(verify_blob_kzg_proof_batch(blobs, commitments, good), true);
    EXPECT_EQ(verify_blob_kzg_proof_batch(blobs, commitments, bad), false);
}

TEST(Kzg, values_at_roots_of_unity_are_the_elements_of_the_blob) {
    const Bytes blob = random_blob(2);
    for (const size_t index : {size_t{0}, size_t{1}, size_t{77}, kBlobElements - 1}) {
        // The exponents' bits are in reverse; the roots are every other one of twice as many.
        const Fr root = kzg::roots_of_unity()[2 * kzg::reverse_bits(index, 12)];
        const auto at = kzg_proof(blob, root.value().to_be32());
        ASSERT_TRUE(at);
        EXPECT_EQ(hex(at->y), hex(ByteView(blob).sub(32 * index, 32)));
    }
}

TEST(Kzg, cells_begin_with_the_blob_and_any_half_of_them_gives_the_rest) {
    const Bytes blob = random_blob(3);
    const auto all = kzg_cells_and_proofs(blob);
    ASSERT_TRUE(all);
    EXPECT_TRUE(std::equal(blob.begin(), blob.end(), all->cells.begin()));
    EXPECT_EQ(all->cells, kzg_cells(blob));
    std::mt19937_64 random(4);
    std::vector<uint64_t> indices(kCellsPerBlob);
    for (size_t i = 0; i < indices.size(); ++i) indices[i] = i;
    std::shuffle(indices.begin(), indices.end(), random);
    indices.resize(kCellsPerBlob / 2);
    std::sort(indices.begin(), indices.end());
    std::vector<ByteView> cells;
    for (const uint64_t index : indices) {
        cells.push_back(ByteView(all->cells).sub(index * kCellBytes, kCellBytes));
    }
    const auto recovered = recover_kzg_cells_and_proofs(indices, cells);
    ASSERT_TRUE(recovered);
    EXPECT_EQ(recovered->cells, all->cells);
    EXPECT_EQ(recovered->proofs, all->proofs);

    const auto commitment = kzg_commitment(blob);
    const std::vector<ByteView> commitments(indices.size(), *commitment);
    std::vector<ByteView> proofs;
    for (const uint64_t index : indices) proofs.push_back(all->proofs[index]);
    EXPECT_EQ(verify_cell_kzg_proof_batch(commitments, indices, cells, proofs), true);
    std::swap(proofs[0], proofs[1]);
    EXPECT_EQ(verify_cell_kzg_proof_batch(commitments, indices, cells, proofs), false);
    cells.pop_back();
    EXPECT_EQ(verify_cell_kzg_proof_batch(commitments, indices, cells, proofs), std::nullopt);
    indices.pop_back();
    EXPECT_EQ(recover_kzg_cells_and_proofs(indices, cells), std::nullopt);
}

TEST(Kzg, first_use_from_many_threads) {
    const Bytes blob(kBlobBytes);
    std::vector<std::jthread> threads;
    std::array<std::optional<KzgPoint>, 4> results;
    for (auto& result : results) {
        threads.emplace_back([&blob, &result] { result = kzg_commitment(blob); });
    }
    threads.clear();
    for (const auto& result : results) EXPECT_EQ(result, results[0]);
    EXPECT_TRUE(results[0]);
}

TEST(KzgSetup, every_point_has_order_r_and_is_tau_times_the_one_before) {
    const auto points = kzg::monomials();
    ASSERT_EQ(points.size(), kBlobElements);
    EXPECT_EQ(points[0], bls12_381::kGenerator1);
    EXPECT_TRUE(
        std::equal(points.begin(), points.begin() + kCellElements, kzg::first_monomials().begin()));
    // e(P[i + 1], G2) = e(P[i], tau G2), for all i at once with random factors.
    std::mt19937_64 random(5);
    std::vector<Fr> factors(points.size() - 1);
    for (Fr& factor : factors) factor = Fr::of(U256(random(), random(), 0, 0));
    for (const auto& point : points) ASSERT_TRUE(bls12_381::in_subgroup(point));
    EXPECT_TRUE(kzg::pairing_holds(kzg::combine(points.subspan(1), factors),
                                   kzg::combine(points.first(factors.size()), factors),
                                   kzg::fixed_lines().tau));
    // e(P[64], G2) = e(P[0], tau^64 G2).
    using Point = kzg::Jacobian<bls12_381::Fp>;
    EXPECT_TRUE(kzg::pairing_holds(Point::of(points[kCellElements]), Point::of(points[0]),
                                   kzg::fixed_lines().tau_of_cell));
}

TEST(KzgPolynomial, transforms_are_inverse_and_agree_with_evaluation) {
    std::mt19937_64 random(6);
    for (const size_t size : {size_t{2}, size_t{64}, size_t{128}}) {
        kzg::Polynomial polynomial(size);
        for (Fr& a : polynomial) a = Fr::of(random());
        auto values = polynomial;
        kzg::evaluate_all<Fr>(values);
        const auto bits = static_cast<unsigned>(std::countr_zero(size));
        for (size_t i = 0; i < size; ++i) {
            const Fr root =
                kzg::roots_of_unity()[kzg::reverse_bits(i, bits) * (kzg::kExtendedElements / size)];
            ASSERT_EQ(values[i], kzg::evaluate(polynomial, root));
        }
        kzg::interpolate(values);
        EXPECT_EQ(values, polynomial);
        const Fr z = Fr::of(random());
        const auto division = kzg::divide_by_linear(polynomial, z);
        EXPECT_EQ(division.rest, kzg::evaluate(polynomial, z));
        const Fr x = Fr::of(random());
        EXPECT_EQ(kzg::evaluate(division.quotient, x) * (x - z) + division.rest,
                  kzg::evaluate(polynomial, x));
    }
}

}  // namespace
}  // namespace keel::crypto
