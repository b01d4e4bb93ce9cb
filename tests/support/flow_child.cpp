// A process that imports a file as `keel import` does and ends in the middle of it.
//
//   keel_flow_child DIRECTORY FILE throw|exit BLOCKS
//   keel_flow_child DIRECTORY FILE batches BYTES
//
// Behind BLOCKS blocks it throws out of the import, or calls std::exit. Exit code 7 either way.
// With `batches` it commits whenever BYTES bytes have changed, and says so as `keel import` does at
// log level debug; whoever started it kills it.

#include <spdlog/spdlog.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "node/import.hpp"
#include "node/open_database.hpp"
#include "node/registry.hpp"
#include "node/signals.hpp"
#include "state/tables.hpp"

namespace {

constexpr int kExitCode = 7;

class EndAt final : public keel::node::ImportObserver {
  public:
    EndAt(bool throws, uint64_t blocks) : throws_(throws), blocks_(blocks) {}
    void block_done(const keel::chain::Inserted& inserted) override {
        if (inserted.id.number != blocks_) return;
        if (throws_) throw std::runtime_error("thrown on purpose");
        std::exit(kExitCode);
    }

  private:
    const bool throws_;
    const uint64_t blocks_;
};

}  // namespace

int main(int argument_count, char** arguments) {
    if (argument_count < 5) return 2;
    keel::node::StopGate stop_gate;
    const keel::node::SignalWatch signals(
        {.before_close = [&](int) { stop_gate.stop_and_wait(); }, .say = {}});
    const keel::node::StopGate::Work work(stop_gate);
    const bool in_batches = std::string_view(arguments[3]) == "batches";
    EndAt end(std::string_view(arguments[3]) == "throw",
              in_batches ? UINT64_MAX : std::stoull(arguments[4]));
    keel::node::Options opening;
    opening.directory = arguments[1];
    opening.schema = keel::state::schema();
    opening.create = false;
    keel::node::ImportOptions options;
    options.files = {arguments[2]};
    options.observer = &end;
    if (in_batches) {
        options.commit_after_bytes = std::stoull(arguments[4]);
        spdlog::set_level(spdlog::level::debug);
        spdlog::flush_on(spdlog::level::debug);
    }
    try {
        const keel::db::Database database = keel::node::open_database(opening);
        keel::node::import_files(database, options);
        return 0;
    } catch (const std::runtime_error&) {
        return keel::node::Registry::process().close_all() ? 1 : kExitCode;
    }
}
