#include "chain/fork_schedule.hpp"

#include <gtest/gtest.h>

namespace keel::chain {
namespace {

using core::Fork;

ForkSchedule schedule_of(std::string_view network) {
    const auto config = config_of_network(network);
    EXPECT_TRUE(config) << network;
    return ForkSchedule(config.value_or(ChainConfig{}));
}

ChainConfig mainnet() {
    ChainConfig config;
    config.homestead = 1'150'000;
    config.dao = 1'920'000;
    config.dao_support = true;
    config.tangerine_whistle = 2'463'000;
    config.eip155 = config.eip158 = 2'675'000;
    config.byzantium = 4'370'000;
    config.constantinople = config.petersburg = 7'280'000;
    config.istanbul = 9'069'000;
    config.muir_glacier = 9'200'000;
    config.berlin = 12'244'000;
    config.london = 12'965'000;
    config.arrow_glacier = 13'773'000;
    config.gray_glacier = 15'050'000;
    config.terminal_total_difficulty = core::U256::from_decimal("58750000000000000000000");
    config.shanghai = 1'681'338'455;
    config.cancun = 1'710'338'135;
    config.prague = 1'746'612'311;
    config.osaka = 1'764'798'551;
    config.bpo1 = 1'765'290'071;
    config.bpo2 = 1'767'747'671;
    return config;
}

// EVM.md 1: the last block before a fork and its first one.
TEST(ForkSchedule, follows_mainnet_from_fork_to_fork) {
    struct Case {
        uint64_t number, time;
        bool proof_of_stake;
        Fork fork;
    };
    constexpr Case kCases[] = {
        {0, 0, false, Fork::Frontier},
        {1'149'999, 1'457'981'342, false, Fork::Frontier},
        {1'150'000, 1'457'981'393, false, Fork::Homestead},
        {1'920'000, 1'469'020'840, false, Fork::Dao},
        {2'463'000, 1'476'796'771, false, Fork::TangerineWhistle},
        {2'675'000, 1'479'831'344, false, Fork::SpuriousDragon},
        {4'369'999, 1'508'131'303, false, Fork::SpuriousDragon},
        {4'370'000, 1'508'131'331, false, Fork::Byzantium},
        {7'280'000, 1'551'383'524, false, Fork::Petersburg},
        {9'069'000, 1'575'764'709, false, Fork::Istanbul},
        {9'200'000, 1'577'953'849, false, Fork::MuirGlacier},
        {12'244'000, 1'618'481'223, false, Fork::Berlin},
        {12'964'999, 1'628'166'812, false, Fork::Berlin},
        {12'965'000, 1'628'166'822, false, Fork::London},
        {13'773'000, 1'639'079'715, false, Fork::ArrowGlacier},
        {15'537'393, 1'663'224'162, false, Fork::GrayGlacier},
        {15'537'394, 1'663'224'179, true, Fork::Paris},
        {17'034'869, 1'681'338'443, true, Fork::Paris},
        {17'034'870, 1'681'338'455, true, Fork::Shanghai},
        {19'426'587, 1'710'338'135, true, Fork::Cancun},
        {22'431'084, 1'746'612'311, true, Fork::Prague},
        {23'935'694, 1'764'798'551, true, Fork::Osaka},
        {23'975'796, 1'765'290'071, true, Fork::Bpo1},
        {24'180'000, 1'767'747'671, true, Fork::Bpo2},
    };
    const ForkSchedule schedule(mainnet());
    for (const Case& expected : kCases) {
        const BlockRules block =
            schedule.at(expected.number, expected.time, expected.proof_of_stake);
        EXPECT_EQ(block.rules.fork, expected.fork) << "block " << expected.number;
        EXPECT_EQ(block.rules, core::rules_of(expected.fork)) << "block " << expected.number;
    }
    EXPECT_EQ(schedule.at(1, mainnet().cancun.value(), true).rules.fork, Fork::Paris)
        << "a fork by time needs London";
}

TEST(ForkSchedule, bpo_forks_change_blob_parameters_only) {
    const ForkSchedule schedule(mainnet());
    const auto blobs_at = [&](uint64_t time) { return schedule.at(24'000'000, time, true).blobs; };
    EXPECT_EQ(blobs_at(1'681'338'455), BlobParameters{});
    EXPECT_EQ(blobs_at(1'710'338'135), (BlobParameters{3, 6, 3'338'477}));
    EXPECT_EQ(blobs_at(1'746'612'311), (BlobParameters{6, 9, 5'007'716}));
    EXPECT_EQ(blobs_at(1'764'798'551), (BlobParameters{6, 9, 5'007'716}));
    EXPECT_EQ(blobs_at(1'765'290'071), (BlobParameters{10, 15, 8'346'193}));
    EXPECT_EQ(blobs_at(1'767'747'671), (BlobParameters{14, 21, 11'684'671}));
    core::ForkRules bpo2 = schedule.at(24'180'000, 1'767'747'671, true).rules;
    bpo2.fork = Fork::Osaka;
    EXPECT_EQ(bpo2, core::rules_of(Fork::Osaka));
}

TEST(ForkSchedule, a_fork_without_blob_entry_inherits_that_of_the_newest_before_it) {
    ChainConfig config = mainnet();
    config.bpo2.reset();
    config.blob_schedule[static_cast<size_t>(Fork::Prague)] = BlobParameters{7, 8, 900};
    config.blob_schedule[static_cast<size_t>(Fork::Bpo2)] = BlobParameters{1, 2, 3};  // not set
    const ForkSchedule schedule(config);
    EXPECT_EQ(schedule.at(24'000'000, 1'710'338'135, true).blobs, kCancunBlobs);
    EXPECT_EQ(schedule.at(24'000'000, 1'746'612'311, true).blobs, (BlobParameters{7, 8, 900}));
    EXPECT_EQ(schedule.at(24'000'000, 1'767'747'671, true).blobs, (BlobParameters{7, 8, 900}));
}

TEST(ForkSchedule, eip_155_and_eip_158_are_two_keys) {
    ChainConfig config;
    config.homestead = config.tangerine_whistle = 0;
    config.eip155 = 3;
    config.eip158 = 5;
    const ForkSchedule schedule(config);
    EXPECT_FALSE(schedule.at(2, 0, false).rules.eip_155);
    const core::ForkRules between = schedule.at(4, 0, false).rules;
    EXPECT_EQ(between.fork, Fork::TangerineWhistle);
    EXPECT_TRUE(between.eip_155);
    EXPECT_FALSE(between.eip_158 || between.eip_160 || between.eip_170);
    EXPECT_EQ(schedule.at(5, 0, false).rules, core::rules_of(Fork::SpuriousDragon));
}

TEST(ForkSchedule, petersburg_comes_with_constantinople_unless_it_has_a_block) {
    ChainConfig config = config_of_network("Byzantium").value();
    config.constantinople = 5;
    EXPECT_FALSE(ForkSchedule(config).at(5, 0, false).rules.eip_1283);
    EXPECT_EQ(ForkSchedule(config).at(5, 0, false).rules.fork, Fork::Petersburg);
    config.petersburg = 7;
    EXPECT_TRUE(ForkSchedule(config).at(6, 0, false).rules.eip_1283);
    EXPECT_FALSE(ForkSchedule(config).at(7, 0, false).rules.eip_1283);
}

TEST(ForkSchedule, without_a_terminal_difficulty_nothing_is_proof_of_stake) {
    ChainConfig config;
    EXPECT_FALSE(ForkSchedule(config).is_proof_of_stake(core::U256::max()));
    config.terminal_total_difficulty = 100;
    EXPECT_FALSE(ForkSchedule(config).is_proof_of_stake(99));
    EXPECT_TRUE(ForkSchedule(config).is_proof_of_stake(100));
}

TEST(ForkSchedule, names_a_fork_whose_rules_are_not_known) {
    ChainConfig config = config_of_network("Osaka").value();
    config.amsterdam = 100;
    config.bogota = 200;
    const ForkSchedule schedule(config);
    EXPECT_FALSE(schedule.unsupported_at(99));
    EXPECT_EQ(schedule.unsupported_at(100), "Amsterdam");
    EXPECT_EQ(schedule.unsupported_at(200), "Bogota");
    EXPECT_EQ(schedule.at(1, 200, true).rules.fork, Fork::Osaka);
}

// EVM.md 1: the networks of the fixtures.
TEST(NetworkNames, plain_networks_have_all_rules_from_block_0) {
    struct Case {
        const char* name;
        Fork fork;
    };
    constexpr Case kCases[] = {
        {"Frontier", Fork::Frontier},
        {"Homestead", Fork::Homestead},
        {"EIP150", Fork::TangerineWhistle},
        {"EIP158", Fork::SpuriousDragon},
        {"Byzantium", Fork::Byzantium},
        {"Constantinople", Fork::Constantinople},
        {"ConstantinopleFix", Fork::Petersburg},
        {"Istanbul", Fork::Istanbul},
        {"MuirGlacier", Fork::MuirGlacier},
        {"Berlin", Fork::Berlin},
        {"London", Fork::London},
        {"ArrowGlacier", Fork::ArrowGlacier},
        {"GrayGlacier", Fork::GrayGlacier},
        {"Merge", Fork::Paris},
        {"Paris", Fork::Paris},
        {"Shanghai", Fork::Shanghai},
        {"Cancun", Fork::Cancun},
        {"Prague", Fork::Prague},
        {"Osaka", Fork::Osaka},
        {"BPO1", Fork::Bpo1},
        {"BPO4", Fork::Bpo4},
    };
    for (const Case& expected : kCases) {
        const ForkSchedule schedule = schedule_of(expected.name);
        const bool merged = expected.fork >= Fork::Paris;
        EXPECT_EQ(schedule.is_proof_of_stake(0), merged) << expected.name;
        EXPECT_EQ(schedule.at(0, 0, merged).rules, core::rules_of(expected.fork)) << expected.name;
        EXPECT_FALSE(schedule.config().dao) << expected.name;
    }
    EXPECT_EQ(schedule_of("BPO3").at(1, 0, true).blobs, (BlobParameters{21, 32, 20'609'697}));
    EXPECT_EQ(schedule_of("BPO4").at(1, 0, true).blobs, (BlobParameters{14, 21, 13'739'630}));
}

TEST(NetworkNames, transitions_switch_at_a_block_a_time_or_a_difficulty) {
    struct Case {
        const char* name;
        uint64_t number, time;  // first of the new rules
        Fork before, after;
    };
    constexpr Case kCases[] = {
        {"FrontierToHomesteadAt5", 5, 0, Fork::Frontier, Fork::Homestead},
        {"HomesteadToDaoAt5", 5, 0, Fork::Homestead, Fork::Dao},
        {"HomesteadToEIP150At5", 5, 0, Fork::Homestead, Fork::TangerineWhistle},
        {"EIP158ToByzantiumAt5", 5, 0, Fork::SpuriousDragon, Fork::Byzantium},
        {"ByzantiumToConstantinopleAt5", 5, 0, Fork::Byzantium, Fork::Petersburg},
        {"ByzantiumToConstantinopleFixAt5", 5, 0, Fork::Byzantium, Fork::Petersburg},
        {"ConstantinopleFixToIstanbulAt5", 5, 0, Fork::Petersburg, Fork::Istanbul},
        {"BerlinToLondonAt5", 5, 0, Fork::Berlin, Fork::London},
        {"ParisToShanghaiAtTime15k", 9, 15'000, Fork::Paris, Fork::Shanghai},
        {"ShanghaiToCancunAtTime15k", 9, 15'000, Fork::Shanghai, Fork::Cancun},
        {"CancunToPragueAtTime15k", 9, 15'000, Fork::Cancun, Fork::Prague},
        {"PragueToOsakaAtTime15k", 9, 15'000, Fork::Prague, Fork::Osaka},
        {"OsakaToBPO1AtTime15k", 9, 15'000, Fork::Osaka, Fork::Bpo1},
        {"BPO3ToBPO4AtTime15k", 9, 15'000, Fork::Bpo3, Fork::Bpo4},
    };
    for (const Case& expected : kCases) {
        const ForkSchedule schedule = schedule_of(expected.name);
        const bool merged = schedule.is_proof_of_stake(0);
        const uint64_t time_before = expected.time == 0 ? 0 : expected.time - 1;
        EXPECT_EQ(schedule.at(expected.number - 1, time_before, merged).rules,
                  core::rules_of(expected.before))
            << expected.name;
        EXPECT_EQ(schedule.at(expected.number, expected.time, merged).rules,
                  core::rules_of(expected.after))
            << expected.name;
    }
    const ForkSchedule merge = schedule_of("ArrowGlacierToParisAtDiffC0000");
    EXPECT_EQ(merge.config().terminal_total_difficulty, core::U256(786'432));
    EXPECT_EQ(merge.at(9, 0, false).rules, core::rules_of(Fork::ArrowGlacier));
    EXPECT_EQ(merge.at(9, 0, true).rules, core::rules_of(Fork::Paris));
    EXPECT_TRUE(schedule_of("HomesteadToDaoAt5").config().dao_support);
}

TEST(NetworkNames, unknown_names_are_none) {
    for (const char* name : {"", "Amsterdam", "BPO2ToAmsterdamAtTime15k", "To", "At5", "Dao",
                             "BerlinToLondon", "BerlinToLondonAt", "BerlinToLondonAtx",
                             "LondonToBerlinAt5", "BerlinToLondonAtDiff10", "cancun"}) {
        EXPECT_FALSE(config_of_network(name)) << name;
    }
}

}  // namespace
}  // namespace keel::chain
