#include "node/runners/network.hpp"

#include <gtest/gtest.h>

namespace keel::node::runners {
namespace {

JsonObject parse(simdjson::dom::parser& parser, std::string_view json) {
    return parser.parse(json).value().get_object().value();
}

// The store keeps the config as text, and whoever opens the chain parses it.
TEST(Network, the_config_of_every_network_survives_its_text) {
    for (const char* const name : {"Frontier",
                                   "Homestead",
                                   "EIP150",
                                   "EIP158",
                                   "Byzantium",
                                   "Constantinople",
                                   "ConstantinopleFix",
                                   "Istanbul",
                                   "MuirGlacier",
                                   "Berlin",
                                   "London",
                                   "ArrowGlacier",
                                   "GrayGlacier",
                                   "Paris",
                                   "Merge",
                                   "Shanghai",
                                   "Cancun",
                                   "Prague",
                                   "Osaka",
                                   "BPO1",
                                   "BPO2",
                                   "BPO3",
                                   "BPO4",
                                   "FrontierToHomesteadAt5",
                                   "HomesteadToDaoAt5",
                                   "HomesteadToEIP150At5",
                                   "EIP158ToByzantiumAt5",
                                   "ByzantiumToConstantinopleFixAt5",
                                   "BerlinToLondonAt5",
                                   "ArrowGlacierToParisAtDiffC0000",
                                   "ParisToShanghaiAtTime15k",
                                   "ShanghaiToCancunAtTime15k",
                                   "CancunToPragueAtTime15k",
                                   "PragueToOsakaAtTime15k",
                                   "OsakaToBPO1AtTime15k",
                                   "BPO3ToBPO4AtTime15k"}) {
        const auto config = chain::config_of_network(name);
        ASSERT_TRUE(config) << name;
        const std::string json = to_json(*config);
        EXPECT_EQ(chain::parse_chain_config(json, name), *config) << name << ' ' << json;
    }
}

TEST(Network, the_config_of_a_test_overrides_chain_id_and_blob_parameters) {
    simdjson::dom::parser parser;
    const JsonObject test = parse(parser, R"({"config": {"network": "Prague", "chainid": "0x07",
        "blobSchedule": {"Cancun": {"target": "0x02", "max": "0x04",
                                    "baseFeeUpdateFraction": "0x10"},
                         "BPO1": {"target": "0x09", "max": "0x0e",
                                  "baseFeeUpdateFraction": "0x20"}}}})");
    const auto config = config_of_test(test, "Prague");
    ASSERT_TRUE(config);
    EXPECT_EQ(config->chain_id, 7u);
    const auto blobs = [&config](core::Fork fork) {
        return config->blob_schedule[static_cast<size_t>(fork)];
    };
    EXPECT_EQ(blobs(core::Fork::Cancun), (chain::BlobParameters{2, 4, 16}));
    EXPECT_EQ(blobs(core::Fork::Bpo1), (chain::BlobParameters{9, 14, 32}));
    EXPECT_EQ(blobs(core::Fork::Prague), chain::kPragueBlobs);
}

TEST(Network, a_test_without_config_has_chain_id_one) {
    simdjson::dom::parser parser;
    const auto config = config_of_test(parse(parser, "{}"), "Berlin");
    ASSERT_TRUE(config);
    EXPECT_EQ(config->chain_id, 1u);
    EXPECT_FALSE(config_of_test(parse(parser, "{}"), "NoSuchNetwork"));
}

}  // namespace
}  // namespace keel::node::runners
