#include "tests/flow/flow.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <stdexcept>

#include "chain/base_fee.hpp"
#include "chain/genesis.hpp"
#include "core/files.hpp"
#include "crypto/keccak.hpp"

namespace keel::tests {
namespace {

constexpr uint64_t kSecondsPerBlock = 12;

std::string quoted(const std::string& word) {
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

core::Hash32 hash_of(const core::Header& header) {
    core::Bytes rlp;
    core::append_header(rlp, header);
    return crypto::keccak256(rlp);
}

}  // namespace

std::string keel_program() {
    return KEEL_PROGRAM;
}

std::string genesis_of_empty_chain() {
    return R"({"config": {"chainId": 7, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0,
        "eip158Block": 0, "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0,
        "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 0, "mergeNetsplitBlock": 0,
        "terminalTotalDifficulty": 0, "ethash": {}},
        "difficulty": "0x1", "gasLimit": "0x1c9c380", "timestamp": "0x64",
        "alloc": {"00000000000000000000000000000000000000aa": {"balance": "0x10"},
                  "00000000000000000000000000000000000000bb": {"balance": "1", "code": "0x00",
                   "storage": {"0x01": "0x02"}}}})";
}

std::vector<core::Block> make_empty_chain(uint64_t count) {
    const chain::Genesis genesis = chain::parse_genesis(genesis_of_empty_chain(), "empty chain");
    core::Header parent = chain::genesis_header(genesis, chain::genesis_state_root(genesis));
    std::vector<core::Block> blocks;
    for (uint64_t number = 1; number <= count; ++number) {
        core::Block block;
        core::Header& header = block.header;
        header.parent_hash = hash_of(parent);
        header.number = number;
        header.timestamp = parent.timestamp + kSecondsPerBlock;
        header.gas_limit = parent.gas_limit;
        header.state_root = parent.state_root;
        header.base_fee = chain::next_base_fee(*parent.base_fee, parent.gas_limit, parent.gas_used);
        parent = header;
        blocks.push_back(std::move(block));
    }
    return blocks;
}

core::Bytes to_rlp(const std::vector<core::Block>& blocks) {
    core::Bytes rlp;
    for (const core::Block& block : blocks) core::append_block(rlp, block);
    return rlp;
}

std::vector<core::Block> with_bad_block(std::vector<core::Block> blocks, size_t index) {
    blocks.at(index).header.state_root.bytes[0] ^= 1;
    return blocks;
}

std::string FlowFolder::write(const std::string& name, core::ByteView content) const {
    core::SystemFiles files;
    core::File(files, root_.path() / name, core::OpenMode::CreateEmptied).write_at(content, 0);
    return (root_.path() / name).string();
}

std::string FlowFolder::read(const std::string& name) const {
    core::SystemFiles files;
    return std::string(core::ByteView(core::read_file(files, root_.path() / name)).text());
}

std::string FlowFolder::make_pipe(const std::string& name) const {
    const std::string path = (root_.path() / name).string();
    if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("mkfifo " + path);
    return path;
}

std::vector<std::string> FlowFolder::command(const std::vector<std::string>& arguments) const {
    std::vector<std::string> words = {keel_program()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    words.insert(words.end(), {"--datadir", datadir()});
    return words;
}

Ran FlowFolder::keel(const std::vector<std::string>& arguments, const RunOptions& options) const {
    std::string line;
    if (options.file_bytes_max > 0)
        line += fmt::format("trap '' XFSZ; ulimit -f {}; ", options.file_bytes_max / 512);
    line += "exec";
    for (const std::string& word : command(arguments)) line += " " + quoted(word);
    line += fmt::format(" >{} 2>{} <{}", quoted((root_.path() / "out").string()),
                        quoted((root_.path() / "err").string()),
                        quoted(options.input.empty() ? "/dev/null" : options.input));
    ChildProcess child({"/bin/sh", "-c", line}, options.directory, options.environment);
    Ran ran;
    ran.exit_code = child.wait();
    ran.out = read("out");
    ran.err = read("err") + child.output();
    return ran;
}

std::string FlowFolder::digest() const {
    const Ran ran = keel({"db", "checksum"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    const size_t end = ran.out.find_last_not_of('\n');
    const size_t begin = ran.out.rfind('\n', end) + 1;
    return ran.out.substr(begin, end + 1 - begin);
}

}  // namespace keel::tests
