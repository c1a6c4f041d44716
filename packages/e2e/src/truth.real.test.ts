import './repair.real.test.ts'
