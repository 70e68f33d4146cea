# make dream                      dream on a sky of clouds, into the folder dreams
# make dream PICTURE=~/my.jpg     dream on yours; FLAGS="--preset garden" adds flags
# make studio                     the studio: all of it in a page on this machine; FLAGS="--port 8123" adds flags
# make install                    only install, into .venv; without a GPU it takes the CPU build of PyTorch where that can be had
# make test                       the whole test suite, in two processes (TESTERS=4: in four)
# make check                      lint, types, rooms
# make bench                      the speeds in docs/benchmarks.md, on this machine
# make bench-pictures             pictures of classes, ours and the peers', judged by networks that did not make them
# make bench-see                  pictures rebuilt from layers, beside plain pixels; how long a page takes
# make bench-tiles                large pictures by tiles: the error, and whether seams show; FLAGS=--large for time and memory
# make bench-reject               does a network tell what it knows from what it does not: methods, networks, sets
# make bench-own                  small networks trained on the spot: are class and feature pictures right by default
# make bench-films                dreamt films: do they flicker; journeys: do they drift, do loops close
# make bench-scores               what photographs, noise, dreams and class pictures score; FLAGS=--write keeps what photographs do
# make bench-album                a folder of 10,000 pictures indexed, and found again
# make bench-studio                how fast the studio is: its start, previews, fifty clients
# make browser                    Debian's chromium, for the tests of pages (make test tries it, and goes on without)
# make replay                     what this tree makes, beside what the revision BASE makes: a refactoring changes no byte
# make test-install               that an install of all extras, in an environment of its own, leaves PyTorch as it is; minutes
# make zoo                        every layer of twenty-two networks of torchvision and timm, with random weights
# make torture-atlas              an atlas on Ray killed ten times, the command and its workers; minutes
# make bench-atlas                how fast an atlas is made, here and on Ray, and what its driver does
# make torture                    thousands of damaged files; run before an issue is called done
# make torture-studio             the studio's server killed under an open page and under its jobs, 200 jobs' memory, hostile requests; minutes
# make pictures                   the pictures of README and docs, made anew

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PICTURE ?= dreams/sky.png
FLAGS ?=
TESTERS ?= 2
BASE ?= cf59445
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

define NEXT
printf '%s\n' '' 'What to type next:' \
	'  source $(BIN)/activate     then `reverie` is a command in this shell; or write $(BIN)/reverie' \
	'  reverie dream ~/my.jpg        a picture of your own' \
	'  reverie                       what to try first'
endef

.PHONY: dream studio install test test-install check browser bench bench-pictures bench-see bench-tiles bench-films bench-own bench-reject bench-scores bench-album bench-studio bench-atlas replay zoo torture torture-studio torture-atlas pictures clean

dream: $(VENV)/installed
	@mkdir -p dreams
	@case "$(PICTURE)" in dreams/sky.png) [ -e dreams/sky.png ] || $(BIN)/python examples/sky.py dreams/sky.png ;; esac
	@$(BIN)/reverie dream "$(PICTURE)" -o dreams $(FLAGS)
	@$(NEXT)

studio: $(VENV)/installed-studio
	@$(BIN)/reverie studio $(FLAGS)

install: $(VENV)/installed
	@$(NEXT)

test: $(VENV)/installed-dev browser
	$(BIN)/python -m pytest --numprocesses $(TESTERS) --dist loadfile

test-install:
	$(PYTHON) tests/installing.py

browser:
	@command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && echo "installing chromium for the tests of pages" && \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1; } || \
		echo "no chromium here, and it cannot be installed: tests that need a browser are skipped (on Debian: apt-get install chromium)"

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

replay: $(VENV)/installed-dev
	$(BIN)/python tests/replay.py --base $(BASE) $(FLAGS)

zoo: $(VENV)/installed-dev
	$(BIN)/python tests/sweep.py $(FLAGS)

torture: $(VENV)/installed-dev
	$(BIN)/python -m tests.torture

torture-studio: $(VENV)/installed-dev browser
	$(BIN)/python -m tests.studio.stories
	$(BIN)/python -m tests.studio.kills
	$(BIN)/python -m pytest -q tests/studio/server/test_guard.py tests/studio/server/test_hostile.py tests/studio/server/test_uploads.py

torture-atlas: $(VENV)/installed-dev
	$(BIN)/python -m tests.torture.atlas_kills $(FLAGS)

bench-atlas: $(VENV)/installed-dev .venv-peers/installed
	$(BIN)/python -m bench.atlas --peers .venv-peers/bin/python $(FLAGS)

bench: $(VENV)/installed-dev .venv-peers/installed .base/$(BASE)
	$(BIN)/python -m bench.paired --base .base/$(BASE)
	$(BIN)/python -m bench --peers .venv-peers/bin/python
	$(BIN)/python -m bench.zoo
	$(BIN)/python -m bench.synchronisations

bench-pictures: $(VENV)/installed-dev .venv-peers/installed
	$(BIN)/python -m bench.pictures --peers .venv-peers/bin/python $(FLAGS)

bench-see: $(VENV)/installed-dev .venv-photographs/installed
	$(BIN)/python -m bench.seeing $(FLAGS)

bench-tiles: $(VENV)/installed-dev
	$(BIN)/python -m bench.tiles $(FLAGS)

bench-own: $(VENV)/installed-dev
	$(BIN)/python -m bench.own $(FLAGS)

bench-films: $(VENV)/installed-dev
	$(BIN)/python -m bench.films $(FLAGS)
	$(BIN)/python -m bench.journeys

bench-reject: $(VENV)/installed-dev .venv-photographs/installed
	$(BIN)/python -m bench.reject $(FLAGS)

bench-scores: $(VENV)/installed-dev .venv-photographs/installed
	$(BIN)/python -m bench.scores $(FLAGS)

bench-album: $(VENV)/installed-dev
	$(BIN)/python -m bench.album $(FLAGS)

bench-studio: $(VENV)/installed-dev browser
	$(BIN)/python -m bench.studio $(FLAGS)

pictures: $(VENV)/installed-dev
	$(BIN)/python examples/pictures.py
	$(BIN)/python examples/knobs.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Reverie needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); echo "python's venv module is missing: on Debian, apt-get install python3-venv"; exit 1; }

$(VENV)/installed: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "installing Reverie into $(VENV) (some minutes the first time)"
	@$(BIN)/python tools/cpu_torch.py constraints.txt
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/installed-studio: $(VENV)/installed
	@$(INSTALL) --editable ".[studio,film,insight,networks]"
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@$(INSTALL) --editable ".[dev,networks,heic,insight,film,studio,zoo]"
	@touch $@

.venv-peers/installed: bench/peers-requirements.txt
	@$(PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement bench/peers-requirements.txt
	@touch $@

# The version before, run in this same environment by PYTHONPATH: one PyTorch for both. It needs typer, which we do not.
.base/$(BASE): $(VENV)/installed-dev
	@rm -rf $@ .base/new && mkdir -p .base/new
	@git archive $(BASE) --output .base/new.tar && tar -xf .base/new.tar -C .base/new
	@$(INSTALL) --target .base/new/packages typer==0.29.2
	@mv .base/new $@

.venv-photographs/installed: bench/photographs-requirements.txt
	@rm -rf .venv-photographs
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target .venv-photographs --requirement $<
	@touch $@

clean:
	rm -rf $(VENV) .venv-peers .venv-photographs .base .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
