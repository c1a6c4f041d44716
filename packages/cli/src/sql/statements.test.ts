import { expect, test } from 'vitest'
import { entriesOf } from './history.ts'
import { splitStatements } from './statements.ts'

test('a semicolon ends a statement, except in strings, names and comments', () => {
  const text = `SELECT 'a;b', "c;\\"d", \`e;f\` -- g;h
  /* i;j */ ; SELECT 1;`
  expect(splitStatements(text)).toEqual({
    statements: ['SELECT \'a;b\', "c;\\"d", `e;f` -- g;h\n  /* i;j */', 'SELECT 1'],
    rest: '',
  })
})

test('what is not complete is the rest: a statement, a string, a comment', () => {
  const rests = ['SELECT 1', "SELECT 1; SELECT 'a;", 'SELECT 1 /* a;\nb;', '/* a'].map(
    text => splitStatements(text).rest,
  )
  expect(rests).toEqual(['SELECT 1', " SELECT 'a;", 'SELECT 1 /* a;\nb;', '/* a'])
})

test('empty statements and comments alone are not statements', () => {
  expect(splitStatements(' ;; -- a comment;\n/* another */ ; \n')).toEqual({ statements: [], rest: '' })
})

test('signs that only begin like comments are text', () => {
  expect(splitStatements('SELECT 4 - 1, 4 / 2;').statements).toEqual(['SELECT 4 - 1, 4 / 2'])
})

test('a statement of several lines is one entry of the history, unless a comment reaches to the end of a line', () => {
  expect(entriesOf(['SELECT 1,', '  2;'])).toEqual(['SELECT 1, 2;'])
  expect(entriesOf(['SELECT 1 -- one', ', 2;'])).toEqual(['SELECT 1 -- one', ', 2;'])
})
