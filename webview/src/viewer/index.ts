import './style.css';
import { Viewer } from './viewer';

new Viewer().start();
