#include "node/runners/suite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <iterator>
#include <mutex>
#include <stop_token>
#include <thread>

#include "core/clock.hpp"

namespace keel::node::runners {
namespace {

// How often the tests that run are looked at.
constexpr std::chrono::milliseconds kWatchInterval{50};

struct Piece {
    size_t member;
    size_t index;
};

/// A file whose tests run, or have run. Its place in OpenFiles is its turn to be told.
struct OpenFile {
    std::filesystem::path path;
    std::unique_ptr<FixtureFile> fixture;
    std::vector<Piece> pieces;
    std::vector<std::vector<CaseResult>> results;  // one a piece
    size_t next = 0;                               // first piece that nobody has taken
    size_t running = 0;                            // pieces that are taken and not done
    size_t other_members = 0;
    bool opened = false;  // `pieces` is complete

    bool done() const noexcept { return opened && next == pieces.size() && running == 0; }
};

/// Tells of tests that are late while they run. Without a time limit it does nothing.
class Late {
  public:
    explicit Late(const RunOptions& options) : options_(options) {
        if (options.time_limit_ms == 0 || !options.on_late) return;
        watcher_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
    }

    /// What one thread runs.
    class Watched {
      public:
        explicit Watched(Late& late) : late_(late) {
            const std::scoped_lock lock(late_.mutex_);
            late_.watched_.push_back(this);
        }
        ~Watched() {
            const std::scoped_lock lock(late_.mutex_);
            std::erase(late_.watched_, this);
        }
        Watched(const Watched&) = delete;
        Watched& operator=(const Watched&) = delete;

        void begin(std::string_view name) {
            if (late_.options_.time_limit_ms == 0) return;
            const std::scoped_lock lock(late_.mutex_);
            name_ = name;
            begin_ns_ = core::monotonic_ns();
            told_ = false;
        }
        /// The time that it took; none: in time.
        std::optional<uint64_t> end() {
            if (late_.options_.time_limit_ms == 0) return std::nullopt;
            const std::scoped_lock lock(late_.mutex_);
            const uint64_t took_ms = (core::monotonic_ns() - begin_ns_) / 1'000'000;
            begin_ns_ = 0;
            if (took_ms <= late_.options_.time_limit_ms) return std::nullopt;
            return took_ms;
        }

      private:
        friend class Late;
        Late& late_;
        std::string_view name_;
        uint64_t begin_ns_ = 0;  // 0: none runs
        bool told_ = false;
    };

  private:
    void watch(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (!stop.stop_requested()) {
            changed_.wait_for(lock, stop, kWatchInterval, [] { return false; });
            const uint64_t now_ns = core::monotonic_ns();
            for (Watched* const one : watched_) {
                const uint64_t limit_ns = options_.time_limit_ms * 1'000'000;
                if (one->begin_ns_ == 0 || now_ns - one->begin_ns_ <= limit_ns) continue;
                if (one->told_) continue;
                one->told_ = true;
                options_.on_late(one->name_);
            }
        }
    }

    const RunOptions& options_;
    std::mutex mutex_;  // of watched_ and what they hold
    std::condition_variable_any changed_;
    std::vector<Watched*> watched_;
    std::jthread watcher_;  // last: it uses all above
};

/// Hands out pieces: of a file that is open, else of the next one, which the thread that asks
/// parses first. Any thread.
class Queue {
  public:
    Queue(core::FileSystem& files, const std::vector<std::filesystem::path>& paths,
          const Suite& suite, const RunOptions& options,
          const std::function<void(FileReport&)>& on_file)
        : files_(files), suite_(suite), options_(options), on_file_(on_file) {
        open_.resize(paths.size());
        for (size_t i = 0; i < paths.size(); ++i) open_[i].path = paths[i];
    }

    /// The body of a thread.
    void work() {
        const std::unique_ptr<Runner> runner = suite_.make_runner();
        Late::Watched watched(late_);
        std::unique_lock lock(mutex_);
        while (!stopped_) {
            if (OpenFile* const file = with_piece()) {
                run_piece(*runner, *file, watched, lock);
            } else if (next_file_ < open_.size()) {
                open_next(lock);
            } else if (opening_ > 0) {
                opened_.wait(lock);
                continue;
            } else {
                break;
            }
            tell(lock);
        }
    }

    /// All threads end after the test that they run.
    void stop() {
        const std::scoped_lock lock(mutex_);
        stopped_ = true;
        opened_.notify_all();
    }

  private:
    OpenFile* with_piece() {
        // Files before first_open_ have no piece left.
        for (size_t i = first_open_; i < next_file_; ++i) {
            OpenFile& file = open_[i];
            if (file.opened && file.next < file.pieces.size()) return &file;
            if (file.opened && i == first_open_) ++first_open_;
        }
        return nullptr;
    }

    void open_next(std::unique_lock<std::mutex>& lock) {
        const size_t number = next_file_++;
        OpenFile& file = open_[number];
        ++opening_;
        std::unique_ptr<JsonFile> memory;
        if (!spare_.empty()) {
            memory = std::move(spare_.back());
            spare_.pop_back();
        }
        lock.unlock();
        open(file, number, memory ? std::move(memory) : std::make_unique<JsonFile>());
        lock.lock();
        file.opened = true;
        --opening_;
        opened_.notify_all();
    }

    void open(OpenFile& file, size_t number, std::unique_ptr<JsonFile> memory) {
        try {
            file.fixture = std::make_unique<FixtureFile>(files_, file.path, std::move(memory));
            const auto& members = file.fixture->members();
            file.other_members = file.fixture->other_members();
            for (size_t i = 0; i < members.size(); ++i) {
                const std::optional<size_t> count = suite_.pieces(members[i]);
                if (!count) ++file.other_members;
                for (size_t k = 0; k < count.value_or(0); ++k) {
                    // The number of the file too: most have one piece only.
                    const bool is_ours = number++ % options_.shard.count == options_.shard.index;
                    if (is_ours) file.pieces.push_back({i, k});
                }
            }
            file.results.resize(file.pieces.size());
        } catch (const core::Fault& fault) {
            file.pieces.clear();
            if (number % options_.shard.count == options_.shard.index) {
                file.results.assign(1, {failure(file.path.string(), fault.message())});
            }
        }
    }

    void run_piece(Runner& runner, OpenFile& file, Late::Watched& watched,
                   std::unique_lock<std::mutex>& lock) {
        const size_t at = file.next++;
        ++file.running;
        lock.unlock();
        const Piece piece = file.pieces[at];
        const FixtureFile::Member& member = file.fixture->members()[piece.member];
        std::vector<CaseResult>& results = file.results[at];
        watched.begin(member.name);
        try {
            runner.run(member, piece.index, results);
        } catch (const std::exception& error) {
            results.push_back(failure(std::string(member.name), error.what()));
        }
        if (const auto late_ms = watched.end()) {
            for (CaseResult& result : results) {
                result.outcome = Outcome::Failed;
                result.error =
                    fmt::format("took {} ms, {} are allowed", *late_ms, options_.time_limit_ms);
            }
        }
        lock.lock();
        --file.running;
    }

    static CaseResult failure(std::string name, std::string error) {
        CaseResult result;
        result.name = std::move(name);
        result.outcome = Outcome::Failed;
        result.error = std::move(error);
        return result;
    }

    /// Tells the files whose turn it is; one thread at a time, which others do not wait for.
    void tell(std::unique_lock<std::mutex>& lock) {
        if (telling_) return;
        telling_ = true;
        while (next_told_ < next_file_ && open_[next_told_].done()) {
            OpenFile& file = open_[next_told_++];
            const std::unique_ptr<FixtureFile> fixture = std::move(file.fixture);
            std::vector<std::vector<CaseResult>> results = std::move(file.results);
            lock.unlock();
            FileReport report{file.path, {}, file.other_members};
            for (auto& cases : results) {
                std::ranges::move(cases, std::back_inserter(report.cases));
            }
            on_file_(report);
            lock.lock();
            if (fixture && spare_.size() < options_.workers) {
                spare_.push_back(std::move(*fixture).release_memory());
            }
        }
        telling_ = false;
    }

    core::FileSystem& files_;
    const Suite& suite_;
    const RunOptions& options_;
    const std::function<void(FileReport&)>& on_file_;
    Late late_{options_};
    std::mutex mutex_;  // of all below; not held while a file is parsed, run or told
    std::vector<OpenFile> open_;
    std::vector<std::unique_ptr<JsonFile>> spare_;  // of files that are told
    size_t next_file_ = 0;
    size_t first_open_ = 0;
    size_t next_told_ = 0;
    size_t opening_ = 0;              // threads that parse a file
    std::condition_variable opened_;  // one of them is done
    bool telling_ = false;
    bool stopped_ = false;
};

bool is_directory(core::FileSystem& files, const std::filesystem::path& path) {
    const auto info = core::file_info(files, path);
    if (!info) {
        throw core::Fault(core::FaultKind::Usage, fmt::format("{}: no such file", path.string()));
    }
    return info->is_directory;
}

void walk(core::FileSystem& files, const std::filesystem::path& directory,
          std::vector<std::filesystem::path>& found) {
    std::vector<std::string> names = core::list_directory(files, directory);
    std::ranges::sort(names);
    for (const std::string& name : names) {
        // Hidden folders hold indexes of the files, no tests.
        if (name.starts_with('.')) continue;
        const std::filesystem::path path = directory / name;
        if (is_directory(files, path)) {
            walk(files, path, found);
        } else if (path.extension() == ".json") {
            found.push_back(path);
        }
    }
}

}  // namespace

std::vector<std::filesystem::path> find_fixtures(core::FileSystem& files,
                                                 const std::vector<std::filesystem::path>& paths) {
    std::vector<std::filesystem::path> found;
    for (const std::filesystem::path& path : paths) {
        if (is_directory(files, path)) {
            walk(files, path, found);
        } else {
            found.push_back(path);
        }
    }
    return found;
}

void run_suite(core::FileSystem& files, const std::vector<std::filesystem::path>& paths,
               const Suite& suite, const RunOptions& options,
               const std::function<void(FileReport&)>& on_file) {
    Queue queue(files, paths, suite, options, on_file);
    std::exception_ptr fault;
    std::mutex fault_mutex;
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < std::max(options.workers, 1u); ++i) {
            threads.emplace_back([&] {
                try {
                    queue.work();
                } catch (...) {
                    queue.stop();
                    const std::scoped_lock lock(fault_mutex);
                    fault = std::current_exception();
                }
            });
        }
    }
    if (fault) std::rethrow_exception(fault);
}

}  // namespace keel::node::runners
