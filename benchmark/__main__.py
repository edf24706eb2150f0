"""`python -m benchmark`: the same command as `coreset-bench`."""

from coreset_bench import main

if __name__ == "__main__":
    main()
