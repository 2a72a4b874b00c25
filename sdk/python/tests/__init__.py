"""Tests of the SDK itself, in sdk/python: python3 -m unittest"""
