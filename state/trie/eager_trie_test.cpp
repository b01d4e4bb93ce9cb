#include "state/trie/eager_trie.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/hex.hpp"
#include "crypto/keccak.hpp"
#include "state/trie/commitment.hpp"
#include "tests/support/fixtures.hpp"

namespace keel::state {
namespace {

using core::Bytes;
using core::ByteView;
using nlohmann::json;

/// Fixtures write bytes as 0x-hex and text as it is; null deletes.
Bytes bytes_of(const json& value) {
    if (value.is_null()) return {};
    const auto text = value.get<std::string>();
    if (text.starts_with("0x")) return core::from_hex(text).value();
    return ByteView(text).to_bytes();
}

std::vector<std::pair<Bytes, Bytes>> operations(const json& in) {
    std::vector<std::pair<Bytes, Bytes>> result;
    if (in.is_array()) {
        for (const auto& entry : in) result.emplace_back(bytes_of(entry[0]), bytes_of(entry[1]));
    } else {
        for (const auto& [key, value] : in.items())
            result.emplace_back(bytes_of(key), bytes_of(value));
    }
    return result;
}

class NoNodes : public NodeReader {
  public:
    std::optional<ByteView> node(ByteView) override { return std::nullopt; }
};

struct File {
    const char* name;
    bool hashed_keys;
};

class TrieFixtures : public testing::TestWithParam<File> {};

TEST_P(TrieFixtures, roots_are_those_of_ethereum_tests) {
    const auto set = tests::fixture_set("ethereum-tests");
    if (!set) GTEST_SKIP() << "no fixtures: set KEEL_FIXTURES, or run make conformance";
    std::ifstream file(*set / "TrieTests" / GetParam().name);
    ASSERT_TRUE(file.is_open());
    const json cases = json::parse(file);
    ASSERT_FALSE(cases.empty());
    for (const auto& [name, content] : cases.items()) {
        SCOPED_TRACE(name);
        EagerTrie trie;
        std::map<core::Hash32, Bytes> last;
        for (const auto& [key, value] : operations(content["in"])) {
            const core::Hash32 hash = crypto::keccak256(key);
            if (GetParam().hashed_keys)
                trie.insert(hash, value);
            else
                trie.insert(key, value);
            last[hash] = value;
        }
        const Bytes root = bytes_of(content["root"]);
        EXPECT_EQ(ByteView(trie.root()), ByteView(root));
        if (!GetParam().hashed_keys) continue;
        std::vector<TrieUpdate> updates;
        for (const auto& [hash, value] : last)
            updates.push_back(
                {hash, value.empty() ? std::nullopt : std::optional(ByteView(value))});
        NoNodes stored;
        EXPECT_EQ(ByteView(Commitment::resolve(stored, updates).root()), ByteView(root));
    }
}

INSTANTIATE_TEST_SUITE_P(EthereumTests, TrieFixtures,
                         testing::Values(File{"trietest.json", false},
                                         File{"trieanyorder.json", false},
                                         File{"trietest_secureTrie.json", true},
                                         File{"trieanyorder_secureTrie.json", true},
                                         File{"hex_encoded_securetrie_test.json", true}),
                         [](const testing::TestParamInfo<File>& param) {
                             const std::string name = param.param.name;
                             return name.substr(0, name.find('.'));
                         });

}  // namespace
}  // namespace keel::state
